/** `reset --as-it-is`: goes on with a topic that was made anew, or lost records before they were taken, and says what that leaves. */
import { asItIs, loadPositions, running, type Position } from '../streams/position.ts'
import { heldBeyond, heldWithout, loadHeld, saveHeld, type HeldRows } from '../streams/held.ts'
import { inflowReader, inflowTopic, outflowTopic, sinkReader } from '../streams/inflow.ts'
import { intakeOf } from '../streams/intake.ts'
import { knownSets, knownVersions } from '../streams/known-versions.ts'
import { keptTopic, topicsOf, type StoreTopic } from '../streams/store.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { handover } from '../versions/handover.ts'

/** Of the produced records behind `after`, which the set has taken, and before `before`, with which inflow goes on, if it holds any. */
export type RecordsLost = HeldRows & {
  readonly set: string
  readonly after: number
  readonly before: number | null
}

/** The warehouse has no rows of the version for these records. */
export type RowsLacking = { readonly set: string; readonly version: number; readonly first: number; readonly last: number }

export type WentOn = {
  readonly topic: string
  readonly ended: 'nothing to do' | 'declined' | 'changed'
  readonly lost: readonly RecordsLost[] | readonly RowsLacking[]
}

type AsItIsAsked = {
  /** Inflow or outflow. */
  readonly topic: string
  /** How many it gets if it has to be made and the other one is not there. */
  readonly partitions: number
  readonly agree: (lost: WentOn['lost']) => Promise<boolean>
}

type Ports = Omit<VersionPorts, 'openSource'>
type Ends = { readonly first: number; readonly next: number }
/** What has to change so that the store goes on with the topic. */
type Change = Pick<WentOn, 'lost'> & { readonly carryOut: (id: string) => Promise<void> }

export async function goOnAsItIs(ports: Ports, { topic, partitions, agree }: AsItIsAsked): Promise<WentOn> {
  const state = (await topicsOf(ports)).find((one) => one.topic === topic)!
  const ends = (await ports.log.topics()).find((one) => one.topic === topic)?.partitions ?? []
  const change = topic === inflowTopic ? await changeOfInflow(ports, state, ends) : await changeOfOutflow(ports, state, ends)
  if (!change) return { topic, ended: 'nothing to do', lost: [] }
  const { lost } = change
  if (!(await agree(lost))) return { topic, ended: 'declined', lost }
  const other = topic === inflowTopic ? outflowTopic : inflowTopic
  if (state.now === undefined) await ports.log.create(topic, (await ports.log.partitions(other)) || partitions)
  await change.carryOut((await ports.log.topicId(topic))!)
  return { topic, ended: 'changed', lost }
}

const isAnew = ({ kept, now }: StoreTopic) => kept !== undefined && now !== '' && now !== kept

/** Positions, and what `produce` knows to be there. */
async function changeOfInflow(ports: Ports, state: StoreTopic, ends: readonly Ends[]): Promise<Change | undefined> {
  const { log, checkpoints } = ports
  const gone = { id: state.kept ?? 'unknown', anew: isAnew(state) }
  const moved = (position: Position, partition: number) => asItIs(position, ends[partition] ?? { first: 0, next: 0 }, gone)
  const held = await loadHeld(checkpoints)
  const sets = await Promise.all(
    (await streamed(ports)).map(async (set) => ({
      set,
      positions: await loadPositions(checkpoints, set),
      goesOnAt: await nextSeq(ports, set, ends),
    })),
  )
  const affected = sets.filter(({ positions }) => positions.some((position, partition) => moved(position, partition) !== position))
  if (affected.length === 0 && !gone.anew) return undefined

  const lost = affected.map(({ set, positions, goesOnAt }): RecordsLost => {
    const seq = taken(positions)
    // What was produced, lies behind what the set has taken, and before what inflow holds now.
    const before = goesOnAt === Infinity ? null : goesOnAt
    const beyond = heldBeyond(heldWithout(held, goesOnAt - 1, Infinity), seq)
    return { set, after: seq, before, ...beyond, atMost: beyond.atMost || positions.length > 1 }
  })
  const after = Math.min(...sets.map(({ positions }) => taken(positions)), Infinity)
  const before = Math.min(...sets.map(({ goesOnAt }) => goesOnAt), Infinity)
  return {
    lost,
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

/** The sets that a consumer runs. */
async function streamed({ registry, checkpoints }: Ports): Promise<readonly string[]> {
  const sets = await Promise.all(
    (await knownSets(registry)).map(async (set) => {
      const applied = (await loadPositions(checkpoints, set)).some(({ runs }) => runs.length > 0)
      return applied && !(await knownVersions(registry, set)).at(-1)!.definition.batchOnly ? [set] : []
    }),
  )
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
  const moves = await Promise.all(
    Array.from({ length: parts }, async (_, partition) => {
      const { first, next } = ends[partition] ?? { first: 0, next: 0 }
      const is = (await warehouse.progress(sinkReader(partition))) ?? 0
      return { reader: sinkReader(partition), is, next: isAnew(state) ? first : Math.min(Math.max(is, first), next) }
    }),
  )
  if (!isAnew(state) && moves.every(({ is, next }) => is === next)) return undefined

  const lost = (
    await Promise.all(
      sets.map(async (set) => {
        const positions = await loadPositions(checkpoints, set)
        const last = Math.max(...positions.map(({ seq }) => seq))
        return Promise.all(
          [...new Set(positions.flatMap(running).map(({ version }) => version))].map(async (version) => {
            const written = (await warehouse.extent(set, version))?.last ?? 0
            return written < last ? [{ set, version, first: written + 1, last }] : []
          }),
        )
      }),
    )
  ).flat(2)
  return {
    lost,
    async carryOut(id) {
      const noRows: Columns = { count: 0, byName: new Map() }
      for (const { reader, next } of moves) if (sets.length > 0) await warehouse.write(sets[0]!, noRows, { reader, next })
      const writer = await log.writer(`reset/${outflowTopic}`)
      await writer.commit({ save: [keptTopic(outflowTopic, id)] }).finally(() => writer.close())
    },
  }
}
