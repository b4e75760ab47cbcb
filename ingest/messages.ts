/** Messages of facts: numbered, spread over the partitions, the last of each marked as the end of a group. */
import { keysOf, type Per } from '../feature-defs/keys.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { streamOf } from '../streams/stream.ts'
import type { Append } from '../utilities/log.ts'
import { textsFrom } from '../utilities/sql/cells.ts'
import { columnOf, nullColumn, type Column, type Columns } from '../utilities/values/columns.ts'
import { partitionOf } from '../utilities/values/partition.ts'
import { pickerOf, pickOrNull } from '../utilities/values/pick-or-null.ts'

/** How a fact's messages are written. */
export type Written = {
  readonly fact: FactSchema
  /** Of its schema. */
  readonly id: string
  /** What they are spread by: null for nothing. */
  readonly per: Per
  /** Whether all sets over it have that key: then no message has another one before and after. */
  readonly onePer: boolean
  readonly partitions: number
}

/** The number before the first, and when the change at each place of the list became known. */
export type Behind = { readonly seq: number; readonly known: (place: number) => bigint }

/** With the last of their numbers. */
export type FactMessages = { readonly appends: readonly Append[]; readonly count: number; readonly last: number }

/**
 * Of changes as versions of a fact have them, found side by side in one list, behind the number `seq`: a change has the same number in the
 * stream of each. Where their group ends is for `endGroups` to say.
 */
export function factMessages(versions: readonly Written[]) {
  const writers = versions.map(messagesOf)
  return (found: readonly Columns[], { seq, known }: Behind): readonly FactMessages[] => {
    const split = found.map((changes, i) => writers[i]!.split(changes))
    const numberAt = numbersFor(found, split, seq)
    return found.map((changes, i) => writers[i]!.write(changes, split[i]!, { numberAt, known, seq }))
  }
}

type Split = { readonly keys: Keys; readonly rows: Int32Array; readonly halves: Uint8Array }
type Numbering = Behind & { readonly numberAt: (place: number) => number }

function messagesOf({ fact, id, per, onePer, partitions }: Written) {
  const encode = encoder(inflowSchema(fact), id)
  const { inflow: topic } = streamOf(fact)
  return {
    split(changes: Columns): Split {
      const keys = keysIn(fact, changes, per)
      return { keys, ...halved(changes, onePer ? keys : undefined) }
    },
    write(changes: Columns, { keys, rows, halves }: Split, { numberAt, known, seq }: Numbering): FactMessages {
      if (changes.count === 0) return { appends: [], count: 0, last: seq }
      const own = new Array<string | undefined>(rows.length)
      const listed = columnOf(changes, '_seq', 'int').values
      const [numbers, knowns] = [new Float64Array(rows.length), new BigInt64Array(rows.length)]
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!
        own[i] = halves[i] === removed || keys.after[row] === undefined ? keys.before[row] : keys.after[row]
        numbers[i] = numberAt(listed[row]!) + (halves[i] === added ? 1 : 0)
        knowns[i] = known(listed[row]!)
      }
      const places = own.map((key) => (key === undefined || partitions === 1 ? 0 : partitionOf(key, partitions)))
      const all = messageColumns(fact, changes, rows, halves, { numbers, known: knowns })
      const byPartition = Map.groupBy(places.keys(), (i) => places[i]!)
      const appends = [...byPartition]
        .sort(([a], [b]) => a - b)
        .map(([partition, some]): Append => {
          const batch = encode(all, Int32Array.from(some))
          return { topic, partition, batch: { ...batch, ...(per !== null && { keys: some.map((i) => own[i]!) }) } }
        })
      return { appends, count: rows.length, last: numbers.at(-1)! }
    },
  }
}

/** The first number of each place of the list: one has two where the fact moves to another key in any of the versions. */
function numbersFor(found: readonly Columns[], split: readonly Split[], seq: number): (place: number) => number {
  const places = found.map((changes) => columnOf(changes, '_seq', 'int').values)
  const first = Math.min(...places.map((all) => all[0] ?? Infinity))
  const end = Math.max(...places.map((all) => (all.at(-1) ?? -1) + 1))
  if (end <= first) return () => seq
  const needed = new Uint8Array(end - first)
  for (const [i, { rows, halves }] of split.entries())
    for (let k = 0; k < rows.length; k++) {
      const at = places[i]![rows[k]!]! - first
      needed[at] = Math.max(needed[at]!, halves[k] === added ? 2 : 1)
    }
  const numbers = new Float64Array(needed.length)
  let next = seq + 1
  for (let at = 0; at < needed.length; at++) {
    numbers[at] = next
    next += needed[at]!
  }
  return (place) => numbers[place - first]!
}

/** The last message for each partition ends its group. What says so stands before the last byte, which says that there is no tick. */
export function endGroups(appends: readonly Append[]): void {
  for (const { batch } of new Map(appends.map((append) => [`${append.topic} ${append.partition}`, append])).values())
    batch.bytes[batch.ends.at(-1)! - 2] = 1
}

const microsInDay = 86_400_000_000

/** A tick behind the number `seq`, in every partition; it is known when it has come. */
export function tickMessages(
  { fact, id, partitions }: Written,
  { seq, at }: { readonly seq: number; readonly at: number },
): readonly Append[] {
  const encode = encoder(inflowSchema(fact), id)
  const fields = Object.entries(fact.fields)
  const { kind } = fact.fields[fact.at]!
  const known = BigInt(kind === 'date' ? at * microsInDay : at) * 1000n
  const absent = (name: 'before' | 'after') => [
    [name, { kind: 'flag', values: Uint8Array.of(0) }] as const,
    ...fields.map(([own, field]) => [`${name}.${own}`, nullColumn(field, 1)] as const),
  ]
  const batch = encode({
    count: 1,
    byName: new Map<string, Column>([
      ...numbered(Float64Array.of(seq + 1), BigInt64Array.of(known)),
      ['change', textsFrom(['tick'])],
      ['key', textsFrom([null])],
      ...absent('before'),
      ...absent('after'),
      ['group_end', { kind: 'flag', values: Uint8Array.of(1) }],
      ['tick', kind === 'date' ? { kind, days: Int32Array.of(at) } : { kind: 'timestamp', values: Float64Array.of(at) }],
    ]),
  })
  const { inflow: topic } = streamOf(fact)
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition, batch }))
}

const numbered = (numbers: Float64Array, known: BigInt64Array): readonly (readonly [string, Column])[] => [
  ['_seq', { kind: 'int', values: numbers }],
  ['known', { kind: 'long', values: known }],
]

type Keys = { readonly before: readonly (string | undefined)[]; readonly after: readonly (string | undefined)[] }

/** What the fact was under and what it is under; undefined where it was or is not. */
function keysIn({ fields }: FactSchema, changes: Columns, per: Per): Keys {
  const of = (side: 'before' | 'after') => {
    const there = columnOf(changes, side, 'flag').values
    if (per === null || !there.includes(1)) return Array.from(there, () => undefined)
    const byName = new Map(Object.keys(fields).map((own) => [own, changes.byName.get(`${side}.${own}`)!]))
    return keysOf({ count: changes.count, byName }, per).map((key, row) => (there[row] === 1 ? key : undefined))
  }
  return { before: of('before'), after: of('after') }
}

const [whole, removed, added] = [0, 1, 2]

/** Changes that move a fact to another key are two messages: it leaves the one, and comes to the other. */
function halved({ count }: Columns, keys: Keys | undefined): { readonly rows: Int32Array; readonly halves: Uint8Array } {
  const [rows, halves] = [new Int32Array(2 * count), new Uint8Array(2 * count)]
  let at = 0
  for (let row = 0; row < count; row++) {
    const [was, is] = [keys?.before[row], keys?.after[row]]
    const moves = was !== undefined && is !== undefined && was !== is
    rows[at] = row
    halves[at++] = moves ? removed : whole
    if (!moves) continue
    rows[at] = row
    halves[at++] = added
  }
  return { rows: rows.slice(0, at), halves: halves.slice(0, at) }
}

function messageColumns(
  { fields, at }: FactSchema,
  changes: Columns,
  rows: Int32Array,
  halves: Uint8Array,
  { numbers, known }: { readonly numbers: Float64Array; readonly known: BigInt64Array },
): Columns {
  const count = rows.length
  const side = (name: 'before' | 'after', without: number) => {
    const chosen = rows.map((row, i) => (halves[i] === without ? -1 : row))
    const there = columnOf(changes, name, 'flag').values
    const values = new Uint8Array(chosen.length)
    for (let i = 0; i < chosen.length; i++) values[i] = chosen[i]! < 0 ? 0 : there[chosen[i]!]!
    const flag: Column = { kind: 'flag', values }
    const pick = pickerOf(chosen)
    const own = Object.keys(fields).map((field) => [`${name}.${field}`, pick(changes.byName.get(`${name}.${field}`)!)] as const)
    return [[name, flag] as const, ...own]
  }
  const words = ['changed', 'removed', 'added', 'tick']
  const { bytes, starts, ends } = textsFrom(words)
  const was = columnOf(changes, 'before', 'flag').values
  const is = columnOf(changes, 'after', 'flag').values
  const word = rows.map((row, i) => (halves[i] !== whole ? halves[i]! : is[row] === 0 ? removed : was[row] === 0 ? added : 0))
  return {
    count,
    byName: new Map<string, Column>([
      ...numbered(numbers, known),
      ['change', { kind: 'text', bytes, starts: word.map((one) => starts[one]!), ends: word.map((one) => ends[one]!) }],
      ['key', pickOrNull(changes.byName.get('key')!, rows)],
      ...side('before', added),
      ...side('after', removed),
      ['group_end', { kind: 'flag', values: new Uint8Array(count) }],
      ['tick', nullColumn(fields[at]!, count)],
    ]),
  }
}
