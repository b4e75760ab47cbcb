/** Brings the state of a version up to the stream by replaying history: with rows or without, and resumable when rows are written. */
import { lineage, type Lineage } from '../batch/lineage.ts'
import { replay, type ReplayPorts } from '../batch/replay.ts'
import { fromBytes, loadPosition, loadSpeed, loadState, saveSpeed, toBytes, type Position, type Run } from '../feature-defs/checkpoint.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { fieldsRead } from '../feature-defs/inputs.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import type { Checkpoints, Save } from '../utilities/checkpoint/checkpoint.ts'
import type { Writer } from '../utilities/log/log.ts'
import { oneAhead } from '../utilities/one-ahead.ts'
import type { Warehouse } from '../utilities/warehouse/warehouse.ts'
import { unfinished, type HandoverPorts } from './handover.ts'

export type VersionPorts = HandoverPorts & ReplayPorts & { readonly checkpoints: Checkpoints; readonly warehouse: Warehouse }

export type GrowthNews = { readonly step: string; readonly rows: number; readonly seq: number; readonly of: number }
export type Watch = { readonly signal: AbortSignal; readonly report: (news: GrowthNews) => void }

export type Origins = { readonly [feature: string]: number }

/** A version's state on its way to the stream's position. */
export type Growth = {
  readonly definition: Definition
  readonly partition: number
  readonly origins: Origins
  readonly writeRows: boolean
  readonly lineage: Lineage
  /** The last record it has taken. */
  seq: number
}

/** Without rows: each feature named by the origins is replayed from its own. */
export const warmed = (definition: Definition, partition: number, origins: Origins): Growth =>
  ({ definition, partition, origins, writeRows: false, lineage: lineage(definition, origins), seq: Math.min(Number.MAX_SAFE_INTEGER, ...Object.values(origins)) })

/** With rows for all history; goes on where a killed command had come to. */
export async function filled({ checkpoints }: VersionPorts, definition: Definition, partition: number): Promise<Growth> {
  const origins = Object.fromEntries(definition.features.map(({ name }) => [name, 0]))
  const { seq, state } = (await savedFill(checkpoints, definition, partition)) ?? { seq: 0, state: new Map() }
  return { definition, partition, origins, writeRows: true, lineage: lineage(definition, origins, state), seq }
}

/** A version that stopped, with rows from there on. */
export async function revived({ checkpoints }: VersionPorts, definition: Definition, partition: number, run: Run): Promise<Growth> {
  const saved = await savedFill(checkpoints, definition, partition)
  const stopped = { seq: run.until!, state: await loadState(checkpoints, definition.set, definition.version, partition) }
  // What a killed command saved holds only the keys that it met.
  const { seq, state } = saved && saved.seq > stopped.seq ? { seq: saved.seq, state: new Map([...stopped.state, ...saved.state]) } : stopped
  return { definition, partition, origins: run.origins, writeRows: true, lineage: lineage(definition, run.origins, state), seq }
}

async function savedFill(checkpoints: Checkpoints, definition: Definition, partition: number): Promise<{ readonly seq: number; readonly state: ReadonlyMap<string, Uint8Array> } | undefined> {
  const saved = await checkpoints.load(fillName({ definition, partition }))
  if (!saved.has('at')) return undefined
  return { seq: fromBytes<number>(saved.get('at')!), state: new Map([...saved].flatMap(([key, bytes]) => (key === 'at' ? [] : [[key.slice(1), bytes] as const]))) }
}

/** So little is left then that the consumer may wait for it. */
const smallRest = 20_000

/** Replays until the stream is near; the rest is for the handover. */
export async function catchUp(ports: VersionPorts, growth: Growth, watch: Watch): Promise<void> {
  const { definition: { set }, partition } = growth
  const writer = await ports.log.writer(fillName(growth))
  const [startedNs, from] = [ports.clock(), growth.seq]
  try {
    for (let turn = 0; ; turn++) {
      const position = await loadPosition(ports.checkpoints, set, partition)
      if (position.hold?.kind === 'backfill') throw unfinished(set, position.hold)
      // A first turn always: a few records of a large file, read while the consumer waits, would have it wait for the whole file.
      if (position.seq === growth.seq || (turn > 0 && position.seq - growth.seq <= smallRest)) return await measure(ports, writer, growth, growth.seq - from, ports.clock() - startedNs)
      await advance(ports, growth, position, watch, growth.writeRows ? writer : undefined)
    }
  } finally {
    await writer.close()
  }
}

/** What `plan` estimates with; a short run says nothing. */
async function measure({ checkpoints }: VersionPorts, writer: Writer, { writeRows }: Growth, records: number, ns: bigint): Promise<void> {
  if (records < 2 * smallRest) return
  const perSecond = Math.round(records / (Number(ns) / 1e9))
  await writer.commit({ save: [saveSpeed({ ...(await loadSpeed(checkpoints)), [writeRows ? 'withRows' : 'withoutRows']: perSecond })] })
}

const recordsPerSave = 200_000

/** Replays up to the position. The writer saves how far it has come, behind the rows. */
export async function advance(ports: VersionPorts, growth: Growth, position: Position, { signal, report }: Watch, writer?: Writer): Promise<void> {
  const { definition, partition, writeRows } = growth
  const { record, set } = definition
  const wanted = writeRows ? Object.keys(record.fields) : fieldsRead(definition)
  const writes = oneAhead()
  let unsaved = 0
  for await (const { records, seq } of replay(ports, position.history, { record, wanted, partition, after: growth.seq, until: position.seq, signal, rowsPerBatch: ports.warehouse.flush?.rows })) {
    signal.throwIfAborted()
    if (seq.length === 0) continue
    const values = growth.lineage.push(records)
    if (writeRows) await writes.begin(() => ports.warehouse.write(set, rowsOf(definition, records, values, ports.clock())))
    growth.seq = seq.at(-1)!
    unsaved += seq.length
    if (writer && unsaved >= recordsPerSave) {
      await writes.settled()
      await writer.commit({ save: saveFill(growth) })
      unsaved = 0
    }
    report({ step: writeRows ? 'replaying history' : 'warming state from history', rows: seq.length, seq: growth.seq, of: position.seq })
  }
  await writes.settled()
  growth.seq = position.seq
}

const fillName = ({ definition, partition }: Pick<Growth, 'definition' | 'partition'>) => `fill/${label(definition)}/${partition}`

/** The position under 'at', each key's state behind a dot. */
const saveFill = ({ definition, partition, lineage, seq }: Growth): Save[] => {
  const name = fillName({ definition, partition })
  return [{ name, key: 'at', value: toBytes(seq) }, ...[...lineage.changes()].map(([key, value]) => ({ name, key: `.${key}`, value }))]
}

/** Removes what `advance` kept, once the checkpoint has it all. */
export async function forgetFill({ checkpoints }: Pick<VersionPorts, 'checkpoints'>, growth: Pick<Growth, 'definition' | 'partition'>): Promise<Save[]> {
  const name = fillName(growth)
  return [...(await checkpoints.load(name)).keys()].map((key) => ({ name, key, value: null }))
}
