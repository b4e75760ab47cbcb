/** `reset TOPIC --as-it-is`: goes on with a topic that was made anew, or lost records before they were taken, and says what that leaves. */
import type { Ports } from '../config/wire.ts'
import { asItIs, loadPositions, running, type Position } from '../feature-defs/checkpoint.ts'
import { heldBeyond, heldWithout, loadHeld, saveHeld, type HeldRows } from '../feature-defs/held.ts'
import { inflowReader, inflowTopic, outflowTopic, sinkReader } from '../feature-defs/inflow.ts'
import { intakeOf } from '../feature-defs/intake.ts'
import { knownSets, knownVersions } from '../feature-defs/known-versions.ts'
import { keptTopic, topicsOf, type StoreTopic } from '../feature-defs/store.ts'
import type { Columns } from '../utilities/columns.ts'
import { handover } from '../versions/handover.ts'
import { count, type Console, type Json } from './console.ts'

type Ends = { readonly first: number; readonly next: number }
/** What has to change so that the store goes on with the topic: told before, done after the question. */
type Change = { readonly lines: readonly string[]; readonly json: Json; readonly carryOut: (id: string) => Promise<void> }

const leaves = [
  'History before is no longer complete: whatever must compute these records again will refuse (apply with --backfill, --shadow or',
  '--forward-only; rollback and promote where rows must be filled; verify). apply --cold needs no history. Rows and state stay as they are.',
].join('\n')

export async function resetAsItIs(ports: Ports, topic: string, partitions: number, console: Console): Promise<void> {
  const state = (await topicsOf(ports)).find((one) => one.topic === topic)!
  const ends = (await ports.log.topics()).find((one) => one.topic === topic)?.partitions ?? []
  const change = topic === inflowTopic ? await changeOfInflow(ports, state, ends) : await changeOfOutflow(ports, state, ends)
  if (!change) return console.result(`nothing to do: what reads ${topic} can go on from where it is`, { topic, changed: false })
  if (topic === inflowTopic) console.note(leaves)
  for (const line of change.lines) console.note(line)
  const result = (changed: boolean) => ({ topic, changed, lost: change.json })
  if (!(await console.confirm(`Go on with ${topic} as it is now?`))) return console.result('nothing was changed', result(false))
  const other = topic === inflowTopic ? outflowTopic : inflowTopic
  if (state.now === undefined) await ports.log.create(topic, (await ports.log.partitions(other)) || partitions)
  await change.carryOut((await ports.log.topicId(topic))!)
  console.result([`the store goes on with ${topic} as it is now`, ...change.lines].join('\n'), result(true))
}

const isAnew = ({ kept, now }: StoreTopic) => kept !== undefined && now !== '' && now !== kept

/** Positions, and what `produce` knows to be there. */
async function changeOfInflow(ports: Ports, state: StoreTopic, ends: readonly Ends[]): Promise<Change | undefined> {
  const { log, checkpoints } = ports
  const gone = { id: state.kept ?? 'unknown', anew: isAnew(state) }
  const moved = (position: Position, partition: number) => asItIs(position, ends[partition] ?? { first: 0, next: 0 }, gone)
  const held = await loadHeld(checkpoints)
  const sets = await Promise.all((await streamed(ports)).map(async (set) => (
    { set, positions: await loadPositions(checkpoints, set), goesOnAt: await nextSeq(ports, set, ends) })))
  const affected = sets.filter(({ positions }) => positions.some((position, partition) => moved(position, partition) !== position))
  if (affected.length === 0 && !gone.anew) return undefined

  const losses = affected.map(({ set, positions, goesOnAt }): Loss => {
    const seq = taken(positions)
    // What was produced, lies behind what the set has taken, and before what inflow holds now.
    const beyond = heldBeyond(heldWithout(held, goesOnAt - 1, Infinity), seq)
    return { set, after: seq, before: goesOnAt, ...beyond, atMost: beyond.atMost || positions.length > 1 }
  })
  const after = Math.min(...sets.map(({ positions }) => taken(positions)), Infinity)
  const before = Math.min(...sets.map(({ goesOnAt }) => goesOnAt), Infinity)
  return {
    lines: losses.map(inWords),
    json: losses.map(({ set, rows, first, last }) => ({ set, rows, first: rows > 0 ? first : null, last: rows > 0 ? last : null })),
    async carryOut(id) {
      for (const { set, positions } of sets) {
        for (const partition of positions.keys()) {
          const change = async (position: Position) => ({ position: moved(position, partition), save: [] })
          await handover(ports, { set, partition, by: `reset ${inflowTopic} --as-it-is` }, change)
        }
      }
      // The topic's id last: until it is kept, running this again finishes it.
      const writer = await log.writer(`produce/${inflowTopic}`)
      const left = sets.length === 0 ? [] : heldWithout(held, after, before)
      await writer.commit({ save: [saveHeld(left), keptTopic(inflowTopic, id)] }).finally(() => writer.close())
    },
  }
}

const taken = (positions: readonly Position[]) => Math.min(...positions.map(({ seq }) => seq))

/** Of the records behind `after`, which the set has taken, and before those that inflow goes on with. */
type Loss = HeldRows & { readonly set: string; readonly after: number; readonly before: number }

function inWords({ set, after, before, rows, first, last, atMost }: Loss): string {
  const goesOn = before === Infinity ? 'and inflow holds none behind them' : `and goes on with _seq ${before}`
  const lost = rows > 0 ? `; ${atMost ? 'up to ' : ''}${count(rows)} produced records (_seq ${first} to ${last}) are lost to it` : ''
  const again = rows > 0 && before === Infinity ? ': produce those years again' : ''
  return `${set} has taken records up to _seq ${after}, ${goesOn}${lost}${again}`
}

/** The sets that a consumer runs. */
async function streamed({ registry, checkpoints }: Ports): Promise<readonly string[]> {
  const sets = await Promise.all((await knownSets(registry)).map(async (set) => {
    const applied = (await loadPositions(checkpoints, set)).some(({ runs }) => runs.length > 0)
    return applied && !(await knownVersions(registry, set)).at(-1)!.definition.batchOnly ? [set] : []
  }))
  return sets.flat()
}

/** The least `_seq` with which the set's partitions go on in inflow as it is; Infinity where it holds nothing new for them. */
async function nextSeq({ log, registry, checkpoints }: Ports, set: string, ends: readonly Ends[]): Promise<number> {
  const { definition } = (await knownVersions(registry, set)).at(-1)!
  const reader = await inflowReader(registry, definition.record, [])
  const positions = await loadPositions(checkpoints, set)
  let least = Infinity
  for (const [partition, { first }] of ends.entries()) {
    for await (const fetched of log.read(inflowTopic, { partition, from: first, joined: true })) {
      const { records, firstSeq } = intakeOf([await reader.read(fetched, Infinity)], positions[partition]?.seq ?? 0)
      if (records > 0) least = Math.min(least, firstSeq)
      if (records > 0) break
    }
  }
  return least
}

/** How far the sink has come. */
async function changeOfOutflow(ports: Ports, state: StoreTopic, ends: readonly Ends[]): Promise<Change | undefined> {
  const { log, checkpoints, warehouse } = ports
  const sets = await streamed(ports)
  const parts = Math.max(ends.length, ...(await Promise.all(sets.map(async (set) => (await loadPositions(checkpoints, set)).length))), 1)
  const moves = await Promise.all(Array.from({ length: parts }, async (_, partition) => {
    const { first, next } = ends[partition] ?? { first: 0, next: 0 }
    const is = (await warehouse.progress(sinkReader(partition))) ?? 0
    return { reader: sinkReader(partition), is, next: isAnew(state) ? first : Math.min(Math.max(is, first), next) }
  }))
  if (!isAnew(state) && moves.every(({ is, next }) => is === next)) return undefined

  const lacking = (await Promise.all(sets.map(async (set) => {
    const positions = await loadPositions(checkpoints, set)
    const last = Math.max(...positions.map(({ seq }) => seq))
    return Promise.all([...new Set(positions.flatMap(running).map(({ version }) => version))].map(async (version) => {
      const written = (await warehouse.extent(set, version))?.last ?? 0
      return written < last ? [{ set, version, first: written + 1, last }] : []
    }))
  }))).flat(2)
  return {
    lines: lacking.map(({ set, version, first, last }) =>
      `the warehouse lacks rows of ${set}@${version} behind record ${first - 1} (computed up to ${last}): tidemark repair ${set}`),
    json: lacking,
    async carryOut(id) {
      const noRows: Columns = { count: 0, byName: new Map() }
      for (const { reader, next } of moves) if (sets.length > 0) await warehouse.write(sets[0]!, noRows, { reader, next })
      const writer = await log.writer(`reset/${outflowTopic}`)
      await writer.commit({ save: [keptTopic(outflowTopic, id)] }).finally(() => writer.close())
    },
  }
}
