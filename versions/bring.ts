/** Brings a version's state up to the stream on one partition, by replay or from the version before; resumable, and nobody waits for it. */
import { entryOf, lineage, type Lineage } from '../batch/lineage.ts'
import { replay, type ReplayPorts } from '../batch/replay.ts'
import { loadPosition, loadSpeed, saveSpeed, type Position, type Run } from '../streams/position.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import type { DueChange } from '../feature-defs/facts/dues.ts'
import { fieldsRead } from '../feature-defs/inputs.ts'
import { dueIn, saveDues } from '../streams/dues.ts'
import { isFact } from '../schemas/fact.ts'
import { rowsWithKeys } from '../streams/row-keys.ts'
import { rowsOf } from '../streams/rows.ts'
import { lookupState, saveState, type Layers } from '../streams/state.ts'
import { ownerOf } from '../streams/stream.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Writer } from '../utilities/log.ts'
import type { Models } from '../utilities/models.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { placeName, savedPlace, savePlace, type FilledUpTo } from './filled.ts'
import { handover, unfinished, type HandoverPorts } from './handover.ts'

export type VersionPorts = HandoverPorts &
  ReplayPorts & { readonly checkpoints: Checkpoints; readonly registry: Registry; readonly warehouse: Warehouse; readonly models: Models }

export type Progress = { readonly step: string; readonly rows: number; readonly seq: number; readonly of: number }
export type Watch = { readonly signal: AbortSignal; readonly report: (news: Progress) => void }

/** What of a version's state, and of its rows, is computed from history. */
export type Origin = {
  /** Per feature that is replayed, the _seq after which it started empty. */
  readonly origins: Run['origins']
  readonly withRows: boolean
}

/** A version's state on its way to the stream's position. */
export type Bringing = Origin & {
  readonly definition: Definition
  readonly partition: number
  readonly layers: Layers
  readonly lineage: Lineage
  /** The last record it has taken. */
  seq: number
  /** Records that other versions could read, and this one could not: it has no row for them. */
  unread: number
  /** How many rows it has made of them. */
  made: number
  /** Keys whose entries are newer here than in the checkpoint. */
  readonly unsaved: Set<string>
  /** When keys are due, where that is newer here: by date and key. */
  readonly unsavedDues: Map<string, DueChange>
}

export type Bring = Origin & {
  readonly partition: number
  /** Where it starts; one that was cut short goes on where it had saved. */
  readonly after: number
  /** The last tick before that. */
  readonly tick: number | null
  /** Where its state is to lie; one that was cut short goes on there. */
  readonly layers: Layers
}

export async function begin(
  { checkpoints, models }: Pick<VersionPorts, 'checkpoints' | 'models'>,
  definition: Definition,
  { after, tick: lastTick, ...bring }: Bring,
): Promise<Bringing> {
  const { partition, layers, origins } = bring
  const { seq, unread, made = 0, tick = lastTick } = (await savedPlace(checkpoints, { definition, partition })) ?? { seq: after, unread: 0 }
  const at = { set: definition.set, partition }
  const past = { from: await lookupState(checkpoints, at, layers), findDue: dueIn(checkpoints, at, layers), tick, models }
  const unsaved = { unsaved: new Set<string>(), unsavedDues: new Map<string, DueChange>() }
  return { ...bring, definition, seq, unread, made, ...unsaved, lineage: lineage(definition, origins, past) }
}

/** Whether its state, or its rows, come from records of history. */
export const isReplayed = ({ origins, withRows }: Pick<Origin, 'origins' | 'withRows'>): boolean =>
  withRows || Object.keys(origins).length > 0

/** At most so much is left for the handover; less where records cost much: the consumer waits for it. */
const smallRest = 20_000
const heldMs = 150

/** Brings it near the stream; the rest is for the handover. */
export async function catchUp(ports: VersionPorts, bringing: Bringing, watch: Watch): Promise<void> {
  const { definition, partition } = bringing
  const owner = ownerOf(definition)
  if (!isReplayed(bringing)) return
  const writer = await ports.log.writer(placeName(bringing))
  const [startedNs, from] = [ports.clock(), bringing.seq]
  try {
    // What a held turn can do in its time, by what the last one took.
    let fits = smallRest
    const timed = async (work: () => Promise<void>) => {
      const [before, startedMs] = [bringing.seq, performance.now()]
      await work()
      const records = bringing.seq - before
      if (records > 0) fits = Math.max(500, Math.min(10 * smallRest, Math.floor((records * heldMs) / (performance.now() - startedMs))))
    }
    let heldAt = -1
    for (let turn = 0, before = Infinity; ; turn++) {
      const position = await loadPosition(ports.checkpoints, owner, partition)
      if (position.hold?.kind === 'backfill') throw unfinished(definition.set, position.hold)
      const rest = position.seq - bringing.seq
      // A first turn always: a few records of a large file, read while the consumer waits, would have it wait for the whole file.
      if (turn > 0 && rest <= Math.min(smallRest, fits)) break
      const losing = turn > 1 && rest > before / 2
      before = rest
      await timed(() => advance(ports, bringing, position, watch, { writer }))
      // Held again only once it has moved, or it would never come to.
      if (losing && position.offset !== heldAt) {
        await gainOnStream(ports, bringing, (held) => {
          heldAt = held.offset
          return timed(() => advance(ports, bringing, upTo(held, bringing.seq + fits), watch, { writer }))
        })
      }
    }
    await measure(ports, writer, bringing, bringing.seq - from, ports.clock() - startedNs)
  } finally {
    await writer.close()
  }
}

const upTo = (position: Position, seq: number): Position => ({ ...position, seq: Math.min(position.seq, seq) })

/** A stream as fast as the replay would never be reached: it waits for a moment, again and again. */
const gainOnStream = (ports: VersionPorts, { definition, partition }: Bringing, work: (held: Position) => Promise<void>): Promise<void> =>
  handover(ports, { owner: ownerOf(definition), partition, by: `${label(definition)} catching up` }, async (position) => {
    await work(position)
    return { position, save: [] }
  })

/** What `plan` estimates with; a short run says nothing. */
async function measure({ checkpoints }: VersionPorts, writer: Writer, bringing: Bringing, records: number, ns: bigint): Promise<void> {
  if (records < 2 * smallRest) return
  const perSecond = Math.round(records / (Number(ns) / 1e9))
  await writer.commit({
    save: [saveSpeed({ ...(await loadSpeed(checkpoints)), [bringing.withRows ? 'withRows' : 'withoutRows']: perSecond })],
  })
}

const recordsPerSave = 200_000
/** The stream waits while they are written. */
const keysPerSave = 10_000

type Advancing = { readonly writer?: Writer; readonly stillHere?: () => Promise<void> }

/** Takes the records up to the position. The writer saves how far it has come, behind the rows. */
export async function advance(
  ports: VersionPorts,
  bringing: Bringing,
  position: Position,
  { signal, report }: Watch,
  { writer, stillHere }: Advancing,
): Promise<void> {
  const { definition, partition, withRows, unsaved, unsavedDues } = bringing
  const { record, set } = definition
  const wanted = withRows ? Object.keys(record.fields) : fieldsRead(definition)
  const writes = oneAhead()
  let unsavedRecords = 0
  const save = async () => {
    await writes.settled()
    await writer!.commit({ save: [...entriesOf(bringing), savePlace(bringing, placeOf(bringing))] })
    unsaved.clear()
    unsavedDues.clear()
    unsavedRecords = 0
  }
  try {
    const options = {
      record,
      wanted,
      partition,
      after: bringing.seq,
      until: position.seq,
      signal,
      rowsPerBatch: ports.warehouse.flush?.rows,
    }
    for await (const { records, seq, unread } of replay(ports, position.history, options)) {
      signal.throwIfAborted()
      bringing.unread += unread
      if (seq.length === 0) continue
      const made = await bringing.lineage.push(records)
      for (const key of bringing.lineage.changedKeys()) unsaved.add(key)
      for (const one of bringing.lineage.dueChanges()) unsavedDues.set(`${one.date} ${one.key}`, one)
      if (withRows) {
        bringing.made += made.records.count
        const rows = rowsWithKeys(definition, rowsOf(definition, made.records, made.values, ports.clock()))
        await writes.begin(() => ports.warehouse.write(set, rows, undefined, signal))
      }
      bringing.seq = seq.at(-1)!
      unsavedRecords += seq.length
      if (writer && (unsavedRecords >= recordsPerSave || unsaved.size >= keysPerSave)) await save()
      await stillHere?.()
      report({
        step: withRows ? 'replaying history' : 'bringing state up to date from history',
        rows: seq.length,
        seq: bringing.seq,
        of: position.seq,
      })
    }
  } finally {
    // Nothing is being written any more, whatever went wrong.
    await writes.settled().catch(() => {})
  }
  await writes.settled()
  bringing.seq = position.seq
  if (writer && unsavedRecords > 0) await save()
}

function placeOf({ definition, seq, unread, layers: { layer }, made, lineage }: Bringing): FilledUpTo {
  const tick = lineage.tick()
  return { seq, unread, layer, ...(isFact(definition.record) && { made, ...(tick !== null && { tick }) }) }
}

/** The entries of the keys that have changed since the last save that went well. */
export function entriesOf({ definition: { set }, partition, layers, lineage, unsaved, unsavedDues }: Bringing): Save[] {
  const at = { set, partition }
  const states = new Map([...unsaved].map((key) => [key, entryOf(lineage.statesOf(key))]))
  return [...saveState(at, layers, states), ...saveDues(at, layers, unsavedDues.values())]
}
