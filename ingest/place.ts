/** How far the border has come: which state of the tables the log holds, the load under way, and the numbers of every stream of facts. */
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Mark } from '../utilities/tables.ts'
import { fromBytes, toBytes } from '../streams/position.ts'
import type { EndsPlace, SourcePlace } from './sources.ts'
import type { Stream } from '../streams/stream.ts'
import { Problem } from '../utilities/values/problem.ts'

/** Of a stream of facts. */
export type FactPlace = {
  /** The last `_seq` that was written, and how many messages. */
  readonly seq: number
  readonly messages: number
  /** Whether its facts that stood when it came into being were written. */
  readonly begun: boolean
  /** What the last tick has said has come: a day since 1970 or a microsecond, and as people read it. */
  readonly tick: { readonly at: number; readonly text: string } | null
  /** It was not needed any more, and lacks what happened since: it never goes on. */
  readonly ended?: true
}

/** What became of the rows of a table. */
export type RowTotals = {
  readonly read: number
  readonly added: number
  readonly changed: number
  readonly left: number
  readonly unchanged: number
  readonly rejected: number
}

/** What became of facts, and how many rows make none because a field does not fit. */
export type FactTotals = { readonly added: number; readonly changed: number; readonly removed: number; readonly unfit: number }

/** What a table was loaded from: the checksum of the bytes, and how they were read. */
export type LoadedTable = {
  readonly table: string
  readonly key: readonly string[]
  readonly source: string
  readonly sha256: string
  readonly totals: RowTotals
}

export type LoadUnderWay = {
  /** What the tables will be as of once it is done. */
  readonly mark: Mark
  readonly tables: readonly LoadedTable[]
  readonly partial: boolean
  /** When what it says became known, in nanoseconds. */
  readonly known: string
  readonly since: string
  /** Changed rows in all, and how many of them are in the log. */
  readonly rows: number
  readonly rowsDone: number
  /**
   * The streams of facts that it makes, in passes: those of a fact that go on are one, and each that begins is one. The passes before this
   * one are done, and of this one so many places.
   */
  readonly facts: readonly string[]
  readonly fact: number
  readonly place: number
  readonly totals: { readonly [stream: string]: FactTotals }
}

/** Rows that changed, and the facts that changed with them. */
export type FanOut = { readonly rows: number; readonly facts: number; readonly known: string }

export type IngestPlace = {
  /** Of the last load that is done; null before the first. */
  readonly mark: Mark | null
  /** The number of the last load that was begun: none is given twice. */
  readonly loads: number
  readonly load: LoadUnderWay | null
  /** The one that was done last, as it was then. */
  readonly last: LoadUnderWay | null
  /** Of all loads and commits, the one with the most facts for each row. */
  readonly widest: FanOut | null
  /** Rows that have left may still have an entry. */
  readonly unclean: boolean
  readonly facts: { readonly [stream: string]: FactPlace }
  readonly tables: { readonly [table: string]: { readonly key: readonly string[]; readonly rows: number; readonly known: string } }
  /** Tables and records that come from topics, by their names. */
  readonly sources: { readonly [source: string]: SourcePlace }
  /** Topics that say where transactions end. */
  readonly ends: { readonly [topic: string]: EndsPlace }
  /** By stream: the number that its first record of a topic has, the last, and how many there are. */
  readonly records: { readonly [stream: string]: RecordPlace }
}

export type RecordPlace = { readonly first: number; readonly seq: number; readonly messages: number }

const name = 'ingest'

const nothingLoaded: IngestPlace = {
  mark: null,
  loads: 0,
  load: null,
  last: null,
  widest: null,
  unclean: false,
  facts: {},
  tables: {},
  sources: {},
  ends: {},
  records: {},
}

export async function loadPlace(checkpoints: Checkpoints): Promise<IngestPlace> {
  const saved = (await checkpoints.load(name)).get('')
  // One of before topics could be read has less.
  return saved ? { ...nothingLoaded, ...fromBytes<Partial<IngestPlace>>(saved) } : nothingLoaded
}

export const savePlace = (place: IngestPlace): Save => ({ name, key: '', value: toBytes(place) })

export const newFact: FactPlace = { seq: 0, messages: 0, begun: false, tick: null }

const versionsOf = (facts: IngestPlace['facts'], fact: string): readonly FactPlace[] =>
  Object.entries(facts).flatMap(([stream, place]) => (stream.split('.')[0] === fact ? [place] : []))

/** The last number that a change of the fact has. Its versions have one counter: a change has the same number in the stream of each. */
export const lastNumber = (facts: IngestPlace['facts'], fact: string): number =>
  Math.max(0, ...versionsOf(facts, fact).map(({ seq }) => seq))

/** The last date that has come, in whichever version's stream. */
export const lastTick = (facts: IngestPlace['facts'], fact: string): FactPlace['tick'] =>
  versionsOf(facts, fact).reduce<FactPlace['tick']>((last, { tick }) => (tick && (!last || tick.at > last.at) ? tick : last), null)

/** The wider one of what there is and of the load that is done. */
export function widestAfter(widest: FanOut | null, { rows, totals, known }: LoadUnderWay): FanOut | null {
  const facts = Object.values(totals).reduce((sum, { added, changed, removed }) => sum + added + changed + removed, 0)
  if (rows === 0 || facts <= rows) return widest
  return widest && widest.facts / widest.rows >= facts / rows ? widest : { rows, facts, known }
}

/** What happened while nobody needed a stream is missing in it. */
export function refuseEnded({ facts }: IngestPlace, { name, inflow }: Stream): void {
  if (!facts[name]?.ended) return
  const [fact] = name.split('.')
  throw new Problem(
    `${inflow} ended when no version of a set was over those facts any more: what happened since is missing there`,
    `Make the fact's next version, which has a stream of its own, by ${fact}.replace({}), and put the set over it.`,
  )
}

/** What is loaded, in words: a first load of a fact's version is of no table. */
export const loadWords = ({ tables, facts }: Pick<LoadUnderWay, 'tables' | 'facts'>): string =>
  tables.length > 0 ? `a load of ${tables.map(({ table }) => table).join(', ')}` : `the first load of ${facts.join(', ')}`

/** The load that was begun and is not done: until it is, what is computed of its facts is of neither state. */
export const loadUnderWay = async (checkpoints: Checkpoints): Promise<LoadUnderWay | null> => (await loadPlace(checkpoints)).load

/** When the newest of what these tables say became known; undefined where nothing was loaded. */
export const newestKnown = (tables: readonly { readonly known: string }[]): bigint | undefined =>
  tables
    .map(({ known }) => BigInt(known))
    .reduce<bigint | undefined>((last, one) => (last === undefined || one > last ? one : last), undefined)
