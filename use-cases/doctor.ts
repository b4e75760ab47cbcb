/** `doctor`: looks at every part, changes none, and says what to do about each that is not well. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readFiles } from '../schemas/csv/files.ts'
import type { ForeignSchemas } from '../schemas/foreign/schemas.ts'
import type { RecordSchema } from '../schemas/record.ts'
import type { Holder } from '../utilities/lease.ts'
import type { Found, Look } from '../utilities/values/look.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Source } from '../utilities/source.ts'
import type { Feed } from '../utilities/feed.ts'
import { database, directory, type LookAtDatabase } from './doctor-files.ts'
import { lookAtTopic, type TopicAsked } from './doctor-topics.ts'
import { lookForLosses, looksAtStore, storeChecks, type Definitions, type StorePorts } from './doctor-store.ts'

type Check = {
  readonly check: string
  readonly state: 'ok' | 'problem' | 'not checked'
  readonly found: string
  readonly todo: string | null
}

export type Diagnosis = { readonly problems: number; readonly checks: readonly Check[] }

/** What is looked at. */
type Patient = {
  readonly nodeVersion: string
  readonly dataDir: string
  /** Those that the embedded parts have in it. */
  readonly files: readonly string[]
  readonly lookAtDatabase: LookAtDatabase
  readonly leaseHolders: (dataDir: string) => Promise<readonly Holder[]>
  /** The parts that are servers of their own. */
  readonly looks: readonly Look[]
  readonly definitions: () => Promise<Definitions>
  /** The file of each record that a stream is over, where the config names one. */
  readonly sources: (definitions: Definitions) => readonly SourceAsked[]
  /** The topics of others that the config names, by the table or record that each is for. */
  readonly topics: (definitions: Definitions) => readonly TopicOf[]
  readonly openFeed: () => Feed
  /** All parts together, to be looked at. */
  readonly withPorts: (work: (ports: StorePorts) => Promise<void>) => Promise<void>
}

type TopicOf = {
  readonly name: string
  readonly asked: TopicAsked
  /** The registry that its config names. */
  readonly registry: { readonly url: string; readonly schemas: ForeignSchemas } | undefined
}

type SourceAsked = {
  readonly record: RecordSchema
  readonly file: string
  /** Whether it may be missing. */
  readonly optional: boolean
  readonly open: () => Promise<Source>
}

type DoctorOptions = {
  /** Reads large database files as a whole too. */
  readonly deep: boolean
  /** What to do in a store without any version. */
  readonly first: string
  readonly signal: AbortSignal
}

export async function examine(patient: Patient, { deep, first, signal }: DoctorOptions): Promise<Diagnosis> {
  const { dataDir, files } = patient
  const checks: Check[] = []
  const check = async (name: string, look: () => Found | Promise<Found>) => {
    const one = await examined(name, look)
    checks.push(one)
    return one.state === 'ok'
  }
  const skip = (name: string, found: string) => checks.push({ check: name, state: 'not checked', found, todo: null })

  await check('Node', () => nodeVersion(patient.nodeVersion))
  let complete = await check('data directory', () => directory(dataDir, files.length > 0, first))
  for (const name of files) {
    if (!existsSync(dataDir)) skip(name, 'there is no data directory')
    else
      complete =
        (await check(name, () => database(patient.lookAtDatabase, dataDir, name, { deep, first: againBy(dataDir, name, first) }))) &&
        complete
  }
  let answering = true
  let reached = true
  for (const { name, needed, look } of patient.looks) {
    if (needed) {
      reached = await check(name, look)
      answering &&= reached
    } else if (reached) await check(name, look)
    else skip(name, 'it is out of reach')
  }
  let definitions: Definitions | undefined
  await check('definitions', async () => {
    definitions = await patient.definitions()
    return { found: [...definitions].map(([set, chain]) => `${set}@${chain.map(({ version }) => version).join(', @')}`).join('; ') }
  })
  const sources = definitions && patient.sources(definitions)
  for (const source of sources ?? []) {
    const name = sources!.length === 1 ? 'source file' : `source of ${source.record.name}`
    // Others may fill the topics of Kafka.
    if (source.optional && !existsSync(source.file)) skip(name, `there is no ${source.file}, which only produce and backfill read`)
    else await check(name, () => header(source, signal))
  }
  if (!sources) skip('source file', 'the definitions do not load')
  const topics = definitions ? patient.topics(definitions) : []
  if (topics.length > 0) {
    const feed = patient.openFeed()
    const answers = await check('topics of others', async () => {
      await feed.ends(topics[0]!.asked.topic)
      return { found: 'Kafka answers' }
    })
    for (const { name, asked } of topics) {
      if (answers) await check(`topic of ${name}`, () => lookAtTopic(feed, asked, signal))
      else skip(`topic of ${name}`, 'it is out of reach')
    }
    await feed.close()
    const registries = new Map(topics.flatMap(({ registry }) => (registry ? [[registry.url, registry.schemas] as const] : [])))
    for (const [url, schemas] of registries)
      await check(`schema registry ${url}`, async () => {
        await schemas.find('1')
        return { found: 'it answers' }
      })
  }

  // Opening the parts for work would make the files that are missing.
  if (!complete || !answering) {
    for (const name of storeChecks) skip(name, complete ? 'a server is out of reach' : 'the data directory is not complete')
  } else {
    await patient
      .withPorts(async (ports) => {
        const looks = looksAtStore(ports, definitions, first)
        for (const name of storeChecks) await check(name, looks[name])
        const ends = new Set(topics.flatMap(({ asked }) => asked.transactions ?? []))
        for (const topic of ends) await check(`transactions of ${topic}`, () => lookForLosses(ports, topic))
      })
      .catch((error: unknown) => check('all parts together', () => Promise.reject(error)))
  }
  if (existsSync(dataDir)) await check('leases', async () => leases(await patient.leaseHolders(dataDir)))
  else skip('leases', 'there is no data directory')
  return { problems: checks.filter(({ state }) => state === 'problem').length, checks }
}

/** What makes a file again that is not there. */
const againBy = (dataDir: string, name: string, first: string) =>
  name !== 'log.db' && existsSync(join(dataDir, 'log.db')) ? 'tidemark repair, which makes it again from the log' : first

/** A check that fails is a finding, whatever the reason: the others are still of use. */
async function examined(check: string, look: () => Found | Promise<Found>): Promise<Check> {
  try {
    const { found, todo = null } = await look()
    return { check, state: todo === null ? 'ok' : 'problem', found, todo }
  } catch (error) {
    const unexpected = { what: (error as Error).message, todo: 'This was not expected: please report it.' }
    const { what, todo } = error instanceof Problem ? error : unexpected
    return { check, state: 'problem', found: what, todo }
  }
}

const nodeVersion = (version: string): Found => ({
  found: version,
  ...(Number.parseInt(version) >= 24 ? {} : { todo: 'Install Node 24 or later, or run npm install, which brings it.' }),
})

async function header({ record, file, open }: SourceAsked, signal: AbortSignal): Promise<Found> {
  // A column that is missing is a problem of its own; the first rows are enough to get past the header.
  for await (const _ of readFiles(record, await open(), { signal, rowsPerBatch: 1 })) break
  return { found: `${file}: it has the columns of ${record.name}` }
}

/** What the holders say of themselves. */
function leases(holders: readonly Holder[]): Found {
  const held = holders.map(({ name, pid, host, since, command }) => `${name}: process ${pid} on ${host} since ${since} (${command})`)
  return { found: held.length === 0 ? 'nobody holds any' : held.join('; ') }
}
