/** The messages of outflow as what they are to serving: rows, rows told again, what is shown, or nothing that can be read. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Definition } from '../feature-defs/feature-set.ts'
import { definitionOf } from '../feature-defs/row-schema.ts'
import { textColumn } from '../feature-defs/values.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { Unreadable } from '../schemas/avro/generic.ts'
import type { AvroSchema } from '../schemas/avro/schema.ts'
import { headerBytes } from '../schemas/wire.ts'
import type { Part } from '../streams/cut-groups.ts'
import { message, offsetOf } from '../streams/dead.ts'
import { forServices, rowsTold, shownIn, type Shown } from '../streams/for-services.ts'
import { runsTogether, type RunOfId } from '../streams/runs-together.ts'
import type { Fetched } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Columns } from '../utilities/values/columns.ts'

type RowsLane = {
  readonly kind: 'rows'
  readonly definition: Definition
  readonly decode: ReturnType<typeof decoder>
  /** Of those told again: where a group ends they do not say. */
  readonly again: AgainLane
}
type AgainLane = { readonly kind: 'again'; readonly definition: Definition }
/** Its messages are texts of one column. */
type ShownLane = { readonly kind: 'shown' }
export type Lane = RowsLane | AgainLane | ShownLane

type LanePart = Part<Lane>

export type ReadLanes = (fetched: Fetched) => Promise<{ readonly parts: readonly LanePart[]; readonly unreadable: number }>

/** So many messages are read at a time: whoever asks meanwhile does not wait for more. */
const atOnce = 1_000
const none = new Float64Array(0)

export function laneReader(registry: Registry): ReadLanes {
  const lanes = new Map<string, Promise<Opened | undefined>>()
  const laneOf = (id: string) => lanes.get(id) ?? lanes.set(id, openLane(registry, id)).get(id)!
  return async (fetched) => {
    const parts: LanePart[] = []
    let unreadable = 0
    for (const run of runsTogether(fetched.batch)) {
      const { id, compression, from, to } = run
      const lane = id !== undefined && compression === 'none' ? await laneOf(id) : undefined
      if (!lane) unreadable += to - from
      for (let first = from; lane && first < to; first += atOnce) {
        const piece = { ...run, from: first, to: Math.min(to, first + atOnce) }
        const read =
          lane.kind === 'rows'
            ? rowsIn(lane, piece, fetched)
            : lane.kind === 'told'
              ? await toldIn(laneOf, piece, fetched)
              : shownTexts(lane, piece, fetched)
        parts.push(...read.parts)
        unreadable += read.unreadable
        if (first + atOnce < to) await nextTurn()
      }
    }
    return { parts, unreadable }
  }
}

type Read = { readonly parts: readonly LanePart[]; readonly unreadable: number }

function rowsIn(lane: RowsLane, { batch, from, to, was }: RunOfId, fetched: Fetched): Read {
  const { columns, rows, bad } = lane.decode(batch, from, to)
  const inGroups = columns.byName.has('group_end')
  const offsets = inGroups ? Float64Array.from(rows, (one) => offsetOf(fetched, was(one))) : none
  return { parts: [{ lane, columns, offsets }], unreadable: bad.length }
}

async function toldIn(
  laneOf: (id: string) => Promise<Opened | undefined>,
  { batch, from, to, was }: RunOfId,
  fetched: Fetched,
): Promise<Read> {
  const told = rowsTold(batch, from, to)
  let unreadable = to - from - told.was.length
  const parts: LanePart[] = []
  for (const run of runsTogether(told.batch)) {
    const own = run.id !== undefined && run.compression === 'none' ? await laneOf(run.id) : undefined
    if (own?.kind !== 'rows') {
      unreadable += run.to - run.from
      continue
    }
    const { columns, rows, bad } = own.decode(run.batch, run.from, run.to)
    unreadable += bad.length
    const byName = new Map([...columns.byName].filter(([name]) => name !== 'group_end'))
    const offsets = Float64Array.from(rows, (one) => offsetOf(fetched, was(told.was[run.was(one)]!)))
    parts.push({ lane: own.again, columns: { count: columns.count, byName }, offsets })
  }
  return { parts, unreadable }
}

function shownTexts(lane: ShownLane, { batch, from, to, was }: RunOfId, fetched: Fetched): Read {
  const [texts, offsets]: [string[], number[]] = [[], []]
  for (let one = from; one < to; one++) {
    try {
      texts.push(JSON.stringify(shownIn(message(batch, one).subarray(headerBytes))))
      offsets.push(offsetOf(fetched, was(one)))
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
    }
  }
  const columns: Columns = { count: texts.length, byName: new Map([['text', textColumn(texts)]]) }
  return { parts: [{ lane, columns, offsets: Float64Array.from(offsets) }], unreadable: to - from - texts.length }
}

/** What a part of that kind says. */
export function shownOf({ columns }: LanePart): readonly Shown[] {
  const column = columns.byName.get('text')
  if (column?.kind !== 'text') throw new TypeError('what is shown is no text')
  const buffer = Buffer.from(column.bytes)
  return Array.from(
    { length: columns.count },
    (_, row) => JSON.parse(buffer.toString('utf8', column.starts[row], column.ends[row])) as Shown,
  )
}

type Opened = RowsLane | ShownLane | { readonly kind: 'told' }

async function openLane(registry: Registry, id: string): Promise<Opened | undefined> {
  const registered = await registry.find(id)
  const schema = registered && (JSON.parse(registered.definition) as AvroSchema)
  const kind = forServices(schema)
  if (kind) return { kind: kind === 'told row' ? 'told' : 'shown' }
  const definition = schema && definitionOf(schema)
  return definition && { kind: 'rows', definition, decode: decoder(schema), again: { kind: 'again', definition } }
}
