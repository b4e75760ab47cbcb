/**
 * The load: tables become what their files say. What differs is found first, on disk; then rows and facts are written some at a time, and
 * whoever is stopped or killed in between goes on where the log is.
 */
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { tablesOf } from '../schemas/joined.ts'
import type { Table } from '../schemas/record.ts'
import { unkept } from '../streams/kept-schemas.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import { Fenced, type Log } from '../utilities/log.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
import type { Tables } from '../utilities/tables.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { Problem } from '../utilities/values/problem.ts'
import { bringTables } from './cache.ts'
import { clean } from './clean.ts'
import { identityOf, readTable, type TableFile } from './files.ts'
import type { NeededFact } from './needed.ts'
import { loadPlace, newestKnown, type IngestPlace, type LoadedTable, type LoadUnderWay } from './place.ts'
import { rollBack } from './roll-back.ts'
import { checkKeys, registerTables, type KnownTable } from './table-rows.ts'
import { writableFact } from './writable.ts'
import { writeLoad, type WriteOptions, type WritePorts } from './write.ts'
import type { WritableFact } from './facts-to-write.ts'

export type LoadPorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly tables: Tables
  readonly clock: Clock
}

/** A table of which more than half of the rows would leave. */
type Shrinking = { readonly table: string; readonly rows: number; readonly left: number }

export type LoadOptions = {
  readonly facts: readonly NeededFact[]
  /** All that the facts are made from. */
  readonly tables: readonly Table[]
  readonly files: readonly TableFile[]
  /** How many partitions a stream gets if it has to be made. */
  readonly partitions: (fact: NeededFact) => number
  readonly partial: boolean
  readonly strict: boolean
  /** When what the files say became known, in nanoseconds; now, without. */
  readonly known: bigint | undefined
  readonly signal: AbortSignal
  readonly agree: (shrinking: readonly Shrinking[]) => Promise<boolean>
  readonly report: (news: LoadNews) => void
  readonly atOnce?: number
  /** Tables that come from topics: facts begin once all their rows have been read. */
  readonly fromTopics?: ReadonlySet<string>
}

export type LoadNews = { readonly doing: 'restoring' | 'reading' | 'writing'; readonly rows: number; readonly facts: number }

export type Loaded = {
  readonly ended: 'done' | 'nothing new' | 'interrupted' | 'declined'
  /** As it is, or was when it was done; null where nothing was begun. */
  readonly load: LoadUnderWay | null
  /** Of the tables that were read now. */
  readonly tables: readonly LoadedTable[]
  /** One of before that had not been done, and now is. */
  readonly finished: LoadUnderWay | null
}

export async function load(ports: LoadPorts, options: LoadOptions): Promise<Loaded> {
  const { log, checkpoints } = ports
  const writer = await log.writer('ingest')
  try {
    return await loadWith({ ...ports, writer }, await loadPlace(checkpoints), options)
  } catch (error) {
    // While files are read nothing is begun that would have to be ended.
    if (options.signal.aborted && (error as Error).name === 'AbortError')
      return { ended: 'interrupted', load: (await loadPlace(checkpoints)).load, tables: [], finished: null }
    throw error instanceof Fenced ? takenOver(error) : error
  } finally {
    await writer.close()
  }
}

type Ports = Omit<LoadPorts, 'clock'> & WritePorts

async function loadWith(ports: LoadPorts & WritePorts, begun: IngestPlace, options: LoadOptions): Promise<Loaded> {
  const { tables } = ports
  const { files, signal, report } = options
  let place = begun
  checkKeys(options.tables, place)
  const known = await registerTables(ports.registry, options.tables)
  const canGoOn = await bringTables(ports, known, place, (rows) => report({ doing: 'restoring', rows, facts: 0 }))
  const loaded = await Promise.all(files.map(async (file) => ({ file, ...(await identityOf(file, signal)) })))
  const isSame = (load: LoadUnderWay) =>
    load.partial === options.partial &&
    load.tables.length === loaded.length &&
    load.tables.every(({ table, sha256 }) => loaded.some((one) => one.file.table.name === table && one.sha256 === sha256))

  let finished: LoadUnderWay | null = null
  if (place.load && canGoOn) {
    const goingOn = place.load
    place = await carryOut(ports, place as Under, known, options)
    if (place.load) return { ended: 'interrupted', load: place.load, tables: place.load.tables, finished: null }
    // The command that was cut short, given again: there is nothing else to do.
    if (isSame(goingOn)) return { ended: 'done', load: place.last, tables: goingOn.tables, finished: null }
    finished = place.last
  }
  const same = place.load !== null && isSame(place.load)
  if (place.load && !same) place = await rollBack(ports, known, place)
  if (place.unclean) place = await clean(ports, known, place)

  const read: LoadedTable[] = []
  for (const { file, source, sha256 } of loaded) {
    const { name, key } = file.table
    const totals = await readTable(tables, file, { ...options, report: (rows) => report({ doing: 'reading', rows, facts: 0 }) })
    read.push({ table: name, key, source, sha256, totals })
  }
  const rows = known.reduce((sum, { table }) => sum + tables.staged(table.name), 0)
  if (place.load === null) {
    const { facts: places } = place
    const facts = options.facts.filter(
      ({ retired, stream, fact }) =>
        !retired &&
        !places[stream.name]?.ended &&
        (places[stream.name]?.begun || tablesOf(fact).every(({ name }) => isRead(place, name, options.fromTopics))),
    )
    const begins = facts.some(({ stream }) => !place.facts[stream.name]?.begun)
    if (rows === 0 && !begins) return { ended: 'nothing new', load: null, tables: read, finished }
    const shrinking = read.flatMap(({ table, totals: { left } }) => {
      const stood = tables.count(table)
      return left * 2 > stood ? [{ table, rows: stood, left }] : []
    })
    if (shrinking.length > 0 && !(await options.agree(shrinking))) {
      tables.discard()
      return { ended: 'declined', load: null, tables: read, finished }
    }
    place = withLoad(place, {
      rows,
      tables: read,
      facts,
      partial: options.partial,
      known: options.known ?? (files.length === 0 ? newestKnown(Object.values(place.tables)) : undefined),
      clock: ports.clock,
    })
  } else if (rows !== place.load.rows) throw new Error(`the load under way changed ${place.load.rows} rows, and now it would be ${rows}`)
  tables.seal(place.load!.mark)
  place = await carryOut(ports, place as Under, known, options)
  const ended = place.load ? 'interrupted' : 'done'
  return { ended, load: place.load ?? place.last, tables: read, finished }
}

type Under = IngestPlace & { readonly load: LoadUnderWay }

/** Whether all rows of a table have been read once: of files, that is so as soon as one is loaded. */
const isRead = ({ sources }: IngestPlace, table: string, fromTopics: ReadonlySet<string> = new Set()): boolean =>
  !fromTopics.has(table) || (sources[table]?.loaded ?? false)

type Beginning = Pick<LoadUnderWay, 'rows' | 'tables' | 'partial'> & {
  readonly facts: readonly NeededFact[]
  readonly known: bigint | undefined
  readonly clock: Clock
}

export function withLoad(place: IngestPlace, { facts, known, clock, ...load }: Beginning): IngestPlace {
  const number = place.loads + 1
  const now = clock()
  return {
    ...place,
    loads: number,
    load: {
      ...load,
      mark: { commit: number, token: randomUUID() },
      known: String(known ?? now),
      since: new Date(Number(now / 1_000_000n)).toISOString(),
      rowsDone: 0,
      facts: facts.map(({ stream }) => stream.name),
      fact: 0,
      place: 0,
      totals: {},
    },
  }
}

/** Writes what is staged; where all of it is written, the rows that left are cleaned up, and the tables are what they are. */
export async function carryOut(
  ports: Ports,
  place: Under,
  known: readonly KnownTable[],
  options: Pick<LoadOptions, 'facts' | 'partitions' | 'signal' | 'report' | 'atOnce'>,
): Promise<IngestPlace> {
  const { load } = place
  const facts = load.facts.map((name) => options.facts.find(({ stream }) => stream.name === name) ?? withoutFact(name, load))
  const writable: WritableFact[] = []
  const schemas: Registered[] = known.map(({ registered }) => registered)
  for (const fact of facts) {
    const { one, registered } = await writableFact(ports, fact, options.partitions(fact))
    schemas.push(registered)
    writable.push(one)
  }
  const kept: readonly Save[] = await unkept(ports, schemas)
  const writing: WriteOptions = {
    known,
    facts: writable,
    first: () => kept,
    signal: options.signal,
    report: (news) => options.report({ doing: 'writing', ...news }),
    ...(options.atOnce !== undefined && { atOnce: options.atOnce }),
  }
  const done = await writeLoad(ports, place, writing)
  if (done.load) return done
  const cleaned = done.unclean ? await clean(ports, known, done, 'staged') : done
  ports.tables.settle(load.mark)
  await nextTurn()
  return cleaned
}

const withoutFact = (name: string, { since }: LoadUnderWay): never => {
  throw new Problem(
    `the load that was begun at ${since} makes facts of ${name}, and the definitions have none`,
    'Put its definition back, and run this again to finish that load.',
  )
}

export const takenOver = (cause: Fenced) =>
  new Problem(
    'another load took over, or this one was stopped, or the log away, for so long that its last commit was given up',
    'Nothing is lost or doubled. Once no other one runs, run this again: it goes on.',
    { cause },
  )
