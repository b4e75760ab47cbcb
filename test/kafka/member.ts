/** A process of the tests that shares the partitions of a topic: prints each list it is given, until it is killed or told to end. */
import { writeSync } from 'node:fs'
import { openKafkaLog } from '../../utilities/kafka/log.ts'

const [broker = '', topicPrefix = '', sessionTimeoutMs = '2000'] = process.argv.slice(2)
const log = await openKafkaLog({ brokers: [broker], topicPrefix, sessionTimeoutMs: Number(sessionTimeoutMs) })
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
for await (const partitions of log.share('shared', 'workers', stop.signal)) writeSync(1, `${JSON.stringify(partitions)}\n`)
writeSync(1, 'left\n')
await log.close()
