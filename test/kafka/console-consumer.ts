/** What is committed in a topic, as Kafka's own console consumer prints it: no code of ours reads from Kafka here. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import type { AvroSchema } from '../../schemas/avro/schema.ts'
import { parseSchema, toObject } from '../../schemas/avro/generic.ts'
import { readFrame } from '../../schemas/wire.ts'
import { forServices } from '../../streams/for-services.ts'
import type { Registry } from '../../utilities/registry.ts'
import { installed } from './broker.ts'

const run = promisify(execFile)
const version = process.env['KAFKA_VERSION'] ?? '4.3.1'
const java = process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', 'java') : 'java'

type Printed = { readonly partition: number; readonly value: Buffer }

/**
 * From the beginning, in the order of each partition, without what was aborted. On a busy machine the first message may take long to come.
 */
async function committedMessages(broker: string, topic: string): Promise<readonly Printed[]> {
  const soon = await messagesWithin(broker, topic, 4000)
  return soon.length > 0 ? soon : messagesWithin(broker, topic, 30_000)
}

/** Ends when nothing came for so long. */
async function messagesWithin(broker: string, topic: string, waitMs: number): Promise<readonly Printed[]> {
  const tools = await toolsJar()
  const formatting = version.startsWith('3.') ? '--property' : '--formatter-property'
  const { stdout, stderr } = await run(
    java,
    [
      '-XX:+UseSerialGC',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      `${join(installed(), 'libs', '*')}:${tools}`,
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      '--bootstrap-server',
      broker,
      '--topic',
      topic,
      '--from-beginning',
      '--isolation-level',
      'read_committed',
      '--timeout-ms',
      String(waitMs),
      '--value-deserializer',
      'org.apache.kafka.common.serialization.BytesDeserializer',
      formatting,
      'print.partition=true',
    ],
    { maxBuffer: 1024 ** 3, timeout: 120_000 },
  )
  const messages = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(parsed)
  const [, counted] = /Processed a total of (\d+) messages/.exec(stderr) ?? []
  if (Number(counted) !== messages.length)
    throw new Error(`the console consumer printed ${messages.length} messages and counted ${counted}: ${stderr}`)
  return messages
}

type Values = readonly unknown[]
export type CommittedRecord = { readonly partition: number; readonly values: Values }

/** These fields of every message but those for services; one that a version lacks is left out. */
export async function committedRecords(
  registry: Registry,
  broker: string,
  topic: string,
  fields: readonly string[],
): Promise<readonly CommittedRecord[]> {
  const schemas = new Map<string, AvroSchema>()
  const found: CommittedRecord[] = []
  for (const { partition, value } of await committedMessages(broker, topic)) {
    const frame = readFrame(value, 0, value.length)
    if (!frame.ok) throw new Error(frame.reason)
    if (!schemas.has(frame.id)) schemas.set(frame.id, parseSchema((await registry.find(frame.id))!.definition) as AvroSchema)
    if (forServices(schemas.get(frame.id))) continue
    const record = toObject(schemas.get(frame.id)!, frame.payload)
    const values = fields
      .filter((name) => name in record)
      .map((name) => (typeof record[name] === 'bigint' ? Number(record[name]) : record[name]))
    found.push({ partition, values })
  }
  return found
}

/** The first few differences, each as a line. */
export function unlike(found: readonly Values[], expected: readonly Values[]): string[] {
  const wrong = found.length === expected.length ? [] : [`${found.length} messages, not ${expected.length}`]
  for (let i = 0; i < Math.max(found.length, expected.length) && wrong.length < 5; i++) {
    const [is, not] = [JSON.stringify(found[i]), JSON.stringify(expected[i])]
    if (is !== not) wrong.push(`message ${i}: ${is}, not ${not}`)
  }
  return wrong
}

function parsed(line: string): Printed {
  const [, partition, text] = /^Partition:(\d+)\t(.*)$/.exec(line) ?? []
  if (text === undefined) throw new Error(`the console consumer printed ${line.slice(0, 200)}`)
  // Printable characters as they are; everything else, the backslash included, as \xHH.
  const bytes = text.replace(/\\x([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return { partition: Number(partition), value: Buffer.from(bytes, 'latin1') }
}

/** The broker's jars do not have the command-line tools: fetched once, beside them. */
async function toolsJar(): Promise<string> {
  const jar = join(installed(), `kafka-tools-${version}.jar`)
  if (existsSync(jar)) return jar
  const aside = mkdtempSync(join(installed(), 'tools-'))
  try {
    const pom = fileURLToPath(new URL('./pom.xml', import.meta.url))
    await run(
      'mvn',
      ['-q', '-B', '-f', pom, 'dependency:copy', `-Dartifact=org.apache.kafka:kafka-tools:${version}`, `-Dlibs.dir=${aside}`],
      { timeout: 120_000 },
    )
    renameSync(join(aside, `kafka-tools-${version}.jar`), jar)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  return jar
}
