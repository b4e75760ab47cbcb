/** `doctor`: looks at every part, changes none, and says what to do about each that is not well. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { defaultSource, type Config } from '../config/config.ts'
import { loadDefinitions, type Definitions } from '../config/definitions.ts'
import { leaseHolders, lookAtDatabase, lookAtServers, sourceAt, type Ports } from '../config/wire.ts'
import { knownSets, knownVersions } from '../feature-defs/known-versions.ts'
import { checkTopics } from '../feature-defs/store.ts'
import { readCsv } from '../schemas/csv.ts'
import type { Found } from '../utilities/look.ts'
import { Problem } from '../utilities/problem.ts'
import { checkUnedited } from '../versions/check.ts'
import { loadState } from '../versions/keep.ts'
import { amissInProjection } from '../versions/project.ts'
import { tally, type Tally } from '../versions/tally.ts'
import { unfinishedIn } from '../versions/unfinished.ts'
import type { Run } from './command.ts'
import { count, table } from './console.ts'
import { firstApply, streamedSet } from './sets.ts'
import { withAnyTopicsToRead } from './stage.ts'
import { readingsOf } from './status.ts'

type Check = { readonly check: string; readonly state: 'ok' | 'problem' | 'not checked'; readonly found: string; readonly todo: string | null }

const leastFreeBytes = 1_000_000_000
const largeFileBytes = 200_000_000

export const run: Run = async ({ options, config, console, signal }) => {
  const deep = options['deep'] === true
  const first = await firstApply(config)
  const checks: Check[] = []
  const check = async (name: string, look: () => Found | Promise<Found>) => {
    const one = await examined(name, look)
    checks.push(one)
    return one.state === 'ok'
  }
  const skip = (name: string, found: string) => checks.push({ check: name, state: 'not checked', found, todo: null })

  await check('Node', () => nodeVersion(process.versions.node))
  const there = await check('data directory', () => directory(config.dataDir, embeddedFiles(config).length > 0, first))
  let files = there
  for (const name of embeddedFiles(config)) {
    if (!existsSync(config.dataDir)) skip(name, 'there is no data directory')
    else files = (await check(name, () => database(join(config.dataDir, name), deep, againBy(config, name, first)))) && files
  }
  const servers = await lookAtServers(config)
  let answering = true
  let reached = true
  for (const { name, needed, look } of servers.looks) {
    if (needed) {
      reached = await check(name, look)
      answering &&= reached
    } else if (reached) await check(name, look)
    else skip(name, 'it is out of reach')
  }
  await servers.close()
  let definitions: Definitions | undefined
  await check('definitions', async () => {
    definitions = await loadDefinitions(config.features)
    return { found: [...definitions].map(([set, chain]) => `${set}@${chain.map(({ version }) => version).join(', @')}`).join('; ') }
  })
  if (needsNoFile(config)) skip('source file', `there is no ${defaultSource}, which only produce and backfill read`)
  else if (definitions) await check('source file', () => source(config, definitions!, signal))
  else skip('source file', 'the definitions do not load')

  const stored = ['released versions', 'unfinished work', 'places in topics', 'tables and views', 'rows', 'clock'] as const
  // Opening the parts for work would make the files that are missing.
  if (!files || !answering) for (const name of stored) skip(name, files ? 'a server is out of reach' : 'the data directory is not complete')
  else {
    await withAnyTopicsToRead({ config, console }, async (ports) => {
      const looks = {
        'released versions': () => released(ports, definitions, first), 'unfinished work': () => unfinished(ports),
        'places in topics': () => places(ports), 'tables and views': () => tablesAndViews(ports), rows: () => countedRows(ports),
        clock: () => clock(ports),
      }
      for (const name of stored) await check(name, looks[name])
    }).catch((error: unknown) => check('all parts together', () => Promise.reject(error)))
  }
  if (existsSync(config.dataDir)) await check('leases', () => leases(config.dataDir))
  else skip('leases', 'there is no data directory')

  const problems = checks.filter(({ state }) => state === 'problem').length
  const rows = checks.map(({ check: name, state, found, todo }) => [name, state, found, todo ?? ''])
  const verdict = problems === 0 ? 'all is well' : `${problems} ${problems === 1 ? 'problem' : 'problems'}`
  console.result(`${table(['check', 'state', 'what is there', 'what to do'], rows, { widest: 160 })}\n\n${verdict}`, { problems, checks })
  return problems === 0 ? 0 : 1
}

/** A check that fails is a finding, whatever the reason: the others are still of use. */
async function examined(check: string, look: () => Found | Promise<Found>): Promise<Check> {
  try {
    const { found, todo = null } = await look()
    return { check, state: todo === null ? 'ok' : 'problem', found, todo }
  } catch (error) {
    const { what, todo } = error instanceof Problem ? error : { what: (error as Error).message, todo: 'This was not expected: please report it.' }
    return { check, state: 'problem', found: what, todo }
  }
}

/** What makes a file again that is not there. */
const againBy = ({ dataDir }: Config, name: string, first: string) =>
  (name !== 'log.db' && existsSync(join(dataDir, 'log.db')) ? 'tidemark repair, which makes it again from the log' : first)

const embeddedFiles = ({ log, registry, warehouse }: Config) =>
  Object.entries({ log, registry, warehouse }).flatMap(([part, { kind }]) => (kind === 'embedded' ? [`${part}.db`] : []))

const nodeVersion = (version: string): Found => ({ found: version, ...(Number.parseInt(version) >= 24 ? {} : { todo: 'Install Node 24 or later, or run npm install, which brings it.' }) })

/** Where nothing is embedded it only holds what may be had again. */
function directory(path: string, holdsData: boolean, first: string): Found {
  if (!existsSync(path)) {
    const above = existingAbove(resolve(path))
    if (!mayWrite(above)) return { found: `there is no ${path} yet, and nothing can be made in ${above}`, todo: 'Give this user the right to write there, or choose another with --data-dir.' }
    if (!holdsData) return { found: `there is no ${path} yet: it is made when it is needed` }
    return { found: `there is no ${path} yet`, todo: `Run: tidemark demo, or ${first}` }
  }
  if (!statSync(path).isDirectory()) return { found: `${path} is not a directory`, todo: 'Move the file in its way, or choose another with --data-dir.' }
  if (!may(constants.R_OK | constants.X_OK, path)) return { found: `${path} may not be read`, todo: 'Give this user the right to read there, and to write if it is to do more than look.' }
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const found = `${path}, ${gigabytes(free)} free${mayWrite(path) ? '' : '; this user may read it and not write, which is enough to look, to query and to export'}`
  return free < leastFreeBytes ? { found, todo: 'Make room on its disk.' } : { found }
}

const existingAbove = (path: string): string => (existsSync(path) ? path : existingAbove(dirname(path)))

const mayWrite = (path: string) => may(constants.R_OK | constants.W_OK | constants.X_OK, path)

function may(what: number, path: string): boolean {
  try {
    accessSync(path, what)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

async function database(path: string, deep: boolean, first: string): Promise<Found> {
  if (!existsSync(path)) return { found: 'it is not there', todo: `Run: ${first}` }
  const bytes = statSync(path).size
  const size = `${count(bytes)} bytes`
  const look = await lookAtDatabase(path, { deep: deep || bytes < largeFileBytes })
  if ('damage' in look) return { found: `it is damaged: ${look.damage}`, todo: 'Restore it from a copy, or move it away and fill it again.' }
  switch (look.state) {
    case 'empty': return { found: 'it is empty: it has no table', todo: `Move the file away and run: ${first}, or restore it from a copy.` }
    case 'opened': return { found: `${size}; it opens (all of it is read with --deep)` }
    case 'sound': return { found: `${size}, sound` }
  }
}

/** Others may fill the topics of Kafka: a file that nobody named need not be there. */
const needsNoFile = ({ log, source: { file } }: Config) => log.kind === 'kafka' && file === defaultSource && !existsSync(file)

async function source({ source: { file } }: Config, definitions: Definitions, signal: AbortSignal): Promise<Found> {
  const { record } = definitions.get(streamedSet(definitions))!.at(-1)!
  const opened = await sourceAt(file)
  // A header that does not match is a problem of its own; the first rows are enough to get past it.
  for await (const _ of readCsv(record, opened.read(signal), { place: opened.place, rowsPerBatch: 1 })) break
  return { found: `${file}: its header is that of ${record.name}` }
}

async function released({ registry }: Ports, definitions: Definitions | undefined, first: string): Promise<Found> {
  const found: string[] = []
  for (const set of await knownSets(registry)) {
    for (const { definition } of await knownVersions(registry, set)) {
      if (definitions) checkUnedited(definition, definitions.get(set)?.[definition.version])
      found.push(`${set}@${definition.version}`)
    }
  }
  if (!definitions) return { found: `${found.join(', ')}: not compared`, todo: 'Mend the definitions first.' }
  return found.length === 0 ? { found: 'none yet', todo: `Run: ${first}` } : { found: `${found.join(', ')}: as they were released` }
}

async function unfinished(ports: Ports): Promise<Found> {
  const lines = (await Promise.all((await knownSets(ports.registry)).map((set) => unfinishedIn(ports, set)))).flat()
  return lines.length === 0 ? { found: 'none' } : { found: lines.join(' '), todo: 'Run what it says.' }
}

async function tablesAndViews(ports: Ports): Promise<Found> {
  const wrong: string[] = []
  for (const set of await knownSets(ports.registry)) {
    const { statements, records } = await amissInProjection(ports, await loadState(ports, set))
    if (statements > 0) wrong.push(`those of ${set} are not what its versions need: ${count(statements)} statements are due`)
    for (const version of records) wrong.push(`tidemark_versions says something else of ${set}@${version}`)
  }
  if (wrong.length > 0) return { found: wrong.join('; '), todo: 'To have them made again: tidemark repair' }
  return { found: 'as the versions need them' }
}

/** Counts, not values: those are for verify. */
async function countedRows(ports: Ports): Promise<Found> {
  const all = (await Promise.all((await knownSets(ports.registry)).map((set) => tally(ports, set)))).flat()
  const wrong = all.filter(({ addsUp }) => !addsUp)
  const found = (some: readonly Tally[]) => some.map(({ set, version, rows, taken, unread, onTheWay }) => [
    `${set}@${version} has ${count(rows)} rows of ${count(taken)}`,
    onTheWay > 0 ? ` (${count(onTheWay)} on their way)` : '', unread > 0 ? ` (${count(unread)} more it cannot read)` : '',
  ].join('')).join('; ')
  if (wrong.length > 0) return { found: found(wrong), todo: `See which: tidemark verify ${wrong[0]!.set}@${wrong[0]!.version}; bring them back: tidemark repair ${wrong[0]!.set}` }
  return { found: all.length === 0 ? 'none to count' : found(all) }
}

/** Whether everybody can go on from where he is. */
async function places(ports: Ports): Promise<Found> {
  await checkTopics(ports)
  const topics = await ports.log.topics()
  for (const { reader, topic, partition, next } of await readingsOf(ports)) {
    const ends = topics.find((one) => one.topic === topic)?.partitions[partition]
    if (!ends || (next >= ends.first && next <= ends.next)) continue
    const found = `${reader} goes on at offset ${next} of ${topic}, partition ${partition}, which holds ${ends.first} to ${ends.next - 1}`
    return { found, todo: `To go on with what it holds: tidemark reset ${topic} --as-it-is` }
  }
  return { found: 'all are there' }
}

/** By the last record of each version: a scan of all rows would take minutes. */
async function clock({ registry, warehouse, clock }: Ports): Promise<Found> {
  let newest = 0n
  for (const set of await knownSets(registry)) {
    for (const { version } of (await warehouse.versions(set)).filter(({ state }) => state !== 'retired' && state !== 'registered')) {
      const { rows } = await warehouse.query(`SELECT _modified_ts FROM ${set}_rows WHERE _version = ${version} ORDER BY _seq DESC LIMIT 1`)
      const at = BigInt(rows[0]?.[0] ?? 0)
      if (at > newest) newest = at
    }
  }
  if (newest === 0n) return { found: 'no row yet to compare it with' }
  const text = new Date(Number(newest / 1_000_000n)).toISOString()
  // Rows of one millisecond are numbered on in nanoseconds, never by so much.
  if (newest <= clock() + 1_000_000_000n) return { found: `the newest row was computed at ${text}` }
  return { found: `the newest row was computed at ${text}, which is still to come`, todo: 'Set the clock of this machine, or of the one that computed it.' }
}

/** What the holders say of themselves. */
async function leases(dataDir: string): Promise<Found> {
  const held = (await leaseHolders(dataDir)).map(({ name, pid, host, since, command }) => `${name}: process ${pid} on ${host} since ${since} (${command})`)
  return { found: held.length === 0 ? 'nobody holds any' : held.join('; ') }
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
