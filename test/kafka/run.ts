/** Runs a Kafka broker for a person until Ctrl-C: npm run kafka. */
import { missingForKafka, startKafka } from './broker.ts'

const missing = missingForKafka()
if (missing !== undefined) {
  console.error(`A Kafka broker cannot be started: ${missing}. Install it and run this again.`)
  process.exit(1)
}

console.log('Starting Kafka; the first time takes a minute.')
const kafka = await startKafka()
const [address] = kafka.brokers
console.log(`Kafka runs at ${address}. Name it in a config file, and give that file to each command with --config:

  { "log": { "kind": "kafka", "brokers": ["${address}"] } }

Its data lies in ${kafka.directory} and goes when it stops. Press Ctrl-C to stop it.`)

const stillHere = setInterval(() => undefined, 60_000)
let stopping = false
const stop = async () => {
  if (stopping) return
  stopping = true
  clearInterval(stillHere)
  await kafka.stop()
}
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
