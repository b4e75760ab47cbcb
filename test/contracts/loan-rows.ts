/** Rows of a small feature set as plain objects, to and from columns: what the warehouse's laws are written in. */
import { columnOf, noDay, type Column, type Columns } from '../../utilities/values/columns.ts'
import type { Layout, SqlColumn, VersionRecord, Warehouse } from '../../utilities/warehouse.ts'

/** One store, empty at first; each call of `warehouse` opens one more handle on it, as another process would. */
export type WarehouseStore = { readonly warehouse: () => Promise<Warehouse>; readonly dispose: () => Promise<void> }

export type Row = {
  readonly amount?: number | null
  readonly day?: string | null
  readonly title?: string | null
  readonly note?: string | null
  readonly _modified_ts: bigint
  readonly _version: number
  readonly _seq: number
  readonly ma50?: number | null
  readonly ma100?: number | null
  readonly ema50?: number | null
}

const kinds: { readonly [K in keyof Row]-?: Column['kind'] } = {
  amount: 'number',
  day: 'date',
  title: 'text',
  note: 'text',
  _modified_ts: 'long',
  _version: 'int',
  _seq: 'int',
  ma50: 'number',
  ma100: 'number',
  ema50: 'number',
}
type Name = keyof Row
const names = Object.keys(kinds) as Name[]

const record: readonly SqlColumn[] = [
  { name: 'amount', type: 'double' },
  { name: 'day', type: 'date' },
  { name: 'title', type: { varchar: 1024 } },
  { name: 'note', type: { varchar: 64 } },
]

const features = ['ma50', 'ma100', 'ema50'].map((name): SqlColumn => ({ name, type: 'double' }))
/** As the three versions of a set would have it: v1 adds ma100, v2 adds ema50. */
export const layoutOf = (latest: 0 | 1 | 2, chain: readonly number[]): Layout => ({
  set: 'loan',
  record,
  features: features.slice(0, latest + 1),
  leading: 1,
  per: ['title'],
  at: 'day',
  versions: [0, 1, 2]
    .slice(0, latest + 1)
    .map((version) => ({ version, shows: [...record, ...features.slice(0, version + 1)].map(({ name }) => name) })),
  chain,
})

export const versionRecord = (version: number, more: Partial<VersionRecord> = {}): VersionRecord => ({
  set: 'loan',
  version,
  state: 'registered',
  mode: 'first',
  schemaId: '3f0d3b0e-6c5b-4c43-8f0e-0123456789ab',
  definition: '{}',
  switches: [],
  promotion: null,
  acts: [],
  ...more,
})

/** The columns that any of the rows has. */
export function columnsFrom(rows: readonly Row[]): Columns {
  const present = names.filter((name) => rows.some((row) => row[name] !== undefined))
  return { count: rows.length, byName: new Map(present.map((name) => [name, columnFrom(name, rows)])) }
}

function columnFrom(name: Name, rows: readonly Row[]): Column {
  const kind = kinds[name]
  const values = rows.map((row) => row[name] ?? null)
  switch (kind) {
    case 'number':
    case 'int':
      return { kind, values: Float64Array.from(values, (value) => (value === null ? NaN : Number(value))) }
    case 'long':
      return { kind, values: BigInt64Array.from(values as bigint[]) }
    case 'date':
      return { kind, days: Int32Array.from(values, (value) => (value === null ? noDay : Date.parse(value as string) / 86_400_000)) }
    case 'text':
      return textColumn(values as (string | null)[])
    default:
      throw new TypeError(`no row here has a ${kind}`)
  }
}

/** The texts lie between other bytes, as they do in a message. */
function textColumn(texts: readonly (string | null)[]): Column {
  const parts = texts.map((text) => Buffer.from(text ?? ''))
  const between = Buffer.of(0xff)
  const starts = new Int32Array(texts.length)
  const ends = new Int32Array(texts.length)
  let at = 1
  parts.forEach(({ length }, row) => {
    starts[row] = texts[row] === null ? -1 : at
    ends[row] = texts[row] === null ? 0 : at + length
    at += length + 1
  })
  return { kind: 'text', bytes: Buffer.concat([between, ...parts.flatMap((part) => [part, between])]), starts, ends }
}

/** Only the columns that are there. */
export function rowsFrom(columns: Columns): Partial<Row>[] {
  const present = names.filter((name) => columns.byName.has(name))
  return Array.from({ length: columns.count }, (_, row) => Object.fromEntries(present.map((name) => [name, cell(columns, name, row)])))
}

function cell(columns: Columns, name: Name, row: number): string | number | bigint | null {
  const kind = kinds[name]
  switch (kind) {
    case 'number':
    case 'int': {
      const value = columnOf(columns, name, kind).values[row]!
      return Number.isNaN(value) ? null : value
    }
    case 'long':
      return columnOf(columns, name, kind).values[row]!
    case 'date': {
      const day = columnOf(columns, name, kind).days[row]!
      return day === noDay ? null : new Date(day * 86_400_000).toISOString().slice(0, 10)
    }
    case 'text': {
      const { bytes, starts, ends } = columnOf(columns, name, kind)
      return starts[row]! < 0 ? null : Buffer.from(bytes.subarray(starts[row], ends[row])).toString('utf8')
    }
    default:
      throw new TypeError(`no row here has a ${kind}`)
  }
}

export const everything = { first: 0, last: Number.MAX_SAFE_INTEGER }

export async function readRows(
  warehouse: Warehouse,
  version: number,
  range = everything,
  columns?: readonly Name[],
): Promise<Partial<Row>[]> {
  const rows: Partial<Row>[] = []
  for await (const chunk of warehouse.rows('loan', version, range, columns)) rows.push(...rowsFrom(chunk))
  return rows
}

/** Rows first..last of a version; each value says which version and row made it. */
export const plainRows = (version: number, first: number, last: number): Row[] =>
  Array.from({ length: last - first + 1 }, (_, i) => {
    const seq = first + i
    return {
      amount: seq * 10,
      day: '2008-02-29',
      title: `title ${seq}`,
      note: null,
      _modified_ts: BigInt(seq) + 1_700_000_000_000_000_001n,
      _version: version,
      _seq: seq,
      ma50: version * 1000 + seq,
      ...(version > 0 && { ma100: version * 1000 + seq + 0.5 }),
      ...(version > 1 && { ema50: version * 1000 + seq + 0.25 }),
    }
  })
