/** Runs a Kafka broker for a person until Ctrl-C: npm run kafka. */
import { missingForKafka, startKafka } from './broker.ts'
import { untilStopped } from './until-stopped.ts'

const missing = missingForKafka()
if (missing !== undefined) {
  console.error(`A Kafka broker cannot be started: ${missing}. Install it and run this again.`)
  process.exit(1)
}

console.log('Starting Kafka; the first time takes a minute.')
await untilStopped(startKafka, ({ brokers: [address], directory }) =>
  console.log(`Kafka runs at ${address}. Name it in a config file, and give that file to each command with --config:

  { "log": { "kind": "kafka", "brokers": ["${address}"] } }

Its data lies in ${directory} and goes when it stops. Press Ctrl-C to stop it.`),
)
