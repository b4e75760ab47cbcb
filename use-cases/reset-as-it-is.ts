/** `reset --as-it-is`: goes on with a topic that was made anew, or lost records before they were taken, and says what that leaves. */
import type { Definition } from '../feature-defs/feature-set.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { asItIs, loadPositions, running, type Position } from '../streams/position.ts'
import { heldBeyond, heldWithout, loadHeld, saveHeld, type HeldRows } from '../streams/held.ts'
import { isFact } from '../schemas/fact.ts'
import { inflowReader } from '../streams/inflow.ts'
import { intakeOf } from '../streams/intake.ts'
import { streamedSets } from '../streams/known-versions.ts'
import { keptTopic, topicsNamed, type StoreTopic } from '../streams/store.ts'
import { factsReader, ownerOf, producerName, sinkReader, standsAs, type Stream } from '../streams/stream.ts'
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

export type AsItIsAsked = {
  readonly stream: Stream
  /** Its inflow or its outflow. */
  readonly topic: string
  /** How many it gets if it has to be made and the other one is not there. */
  readonly partitions: number
  readonly agree: (lost: WentOn['lost']) => Promise<boolean>
}

type Ports = Omit<VersionPorts, 'openSource'>
type Ends = { readonly first: number; readonly next: number }
/** What has to change so that the store goes on with the topic. */
type Change = Pick<WentOn, 'lost'> & { readonly carryOut: (id: string) => Promise<void> }

export async function goOnAsItIs(ports: Ports, { stream, topic, partitions, agree }: AsItIsAsked): Promise<WentOn> {
  const { inflow, outflow } = stream
  const state = (await topicsNamed(ports, [topic]))[0]!
  const ends = (await ports.log.topics()).find((one) => one.topic === topic)?.partitions ?? []
  const change = topic === inflow ? await changeOfInflow(ports, stream, state, ends) : await changeOfOutflow(ports, stream, state, ends)
  if (!change) return { topic, ended: 'nothing to do', lost: [] }
  const { lost } = change
  if (!(await agree(lost))) return { topic, ended: 'declined', lost }
  const other = topic === inflow ? outflow : inflow
  if (state.now === undefined) await ports.log.create(topic, (await ports.log.partitions(other)) || partitions)
  await change.carryOut((await ports.log.topicId(topic))!)
  return { topic, ended: 'changed', lost }
}

const isAnew = ({ kept, now }: StoreTopic) => kept !== undefined && now !== '' && now !== kept

/** Positions, and what `produce` knows to be there. */
async function changeOfInflow(ports: Ports, stream: Stream, state: StoreTopic, ends: readonly Ends[]): Promise<Change | undefined> {
  const { log, checkpoints } = ports
  const { inflow } = stream
  const gone = { id: state.kept ?? 'unknown', anew: isAnew(state) }
  const moved = (position: Position, partition: number) => asItIs(position, ends[partition] ?? { first: 0, next: 0 }, gone)
  const held = await loadHeld(checkpoints, stream)
  const sets = await Promise.all(
    (await applied(ports, stream)).map(async (definition) => {
      const { set, record } = definition
      const owner = ownerOf(definition)
      const positions = await loadPositions(checkpoints, owner)
      return { set, owner, positions, goesOnAt: await nextSeq(ports, { inflow, record, positions }, ends) }
    }),
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
      for (const { owner, positions } of sets) {
        for (const partition of positions.keys()) {
          const change = async (position: Position) => ({ position: moved(position, partition), save: [] })
          await handover(ports, { owner, partition, by: `reset ${inflow} --as-it-is` }, change)
        }
      }
      await factsAsTheyAre(ports, stream, ends, gone.anew)
      // The topic's id last: until it is kept, running this again finishes it.
      const writer = await log.writer(producerName(stream))
      const left = sets.length === 0 ? [] : heldWithout(held, after, before)
      await writer.commit({ save: [saveHeld(stream, left), keptTopic(inflow, id)] }).finally(() => writer.close())
    },
  }
}

/** The sink's place among the facts; those that a topic which is gone told of leave with it. */
async function factsAsTheyAre({ registry, warehouse }: Ports, stream: Stream, ends: readonly Ends[], anew: boolean): Promise<void> {
  if (!(await streamedSets(registry, stream)).some(({ record }) => isFact(record))) return
  const places = await Promise.all(
    ends.map(async ({ first, next }, partition) => {
      const reader = factsReader(stream, partition)
      const is = (await warehouse.progress(reader)) ?? 0
      return { reader, is, next: anew ? first : Math.min(Math.max(is, first), next) }
    }),
  )
  const moves = places.map(({ reader, next }) => ({ reader, next }))
  if (anew) await warehouse.forgetFacts(standsAs(stream), moves)
  else for (const [i, place] of moves.entries()) if (places[i]!.is !== place.next) await warehouse.writeTogether([], place)
}

const taken = (positions: readonly Position[]) => Math.min(...positions.map(({ seq }) => seq))

/** The sets of the stream that a consumer runs. */
async function applied({ registry, checkpoints }: Ports, stream: Stream): Promise<readonly Definition[]> {
  const sets = await Promise.all(
    (await streamedSets(registry, stream)).map(async (definition) => {
      const isApplied = (await loadPositions(checkpoints, ownerOf(definition))).some(({ runs }) => runs.length > 0)
      return isApplied ? [definition] : []
    }),
  )
  return sets.flat()
}

type Reading = { readonly inflow: string; readonly record: RecordSchema; readonly positions: readonly Position[] }

/** The least `_seq` with which the set's partitions go on in inflow as it is; Infinity where it holds nothing new for them. */
async function nextSeq({ log, registry }: Ports, { inflow, record, positions }: Reading, ends: readonly Ends[]): Promise<number> {
  const reader = await inflowReader(registry, record, [])
  let least = Infinity
  for (const [partition, { first }] of ends.entries()) {
    for await (const fetched of log.read(inflow, { partition, from: first, joined: true })) {
      const { records, firstSeq } = intakeOf([await reader.read(fetched, Infinity)], positions[partition]?.seq ?? 0)
      if (records > 0) least = Math.min(least, firstSeq)
      if (records > 0) break
    }
  }
  return least
}

/** How far the sink has come. */
async function changeOfOutflow(ports: Ports, stream: Stream, state: StoreTopic, ends: readonly Ends[]): Promise<Change | undefined> {
  const { log, checkpoints, warehouse } = ports
  const { outflow } = stream
  const sets = await applied(ports, stream)
  const parts = Math.max(
    ends.length,
    ...(await Promise.all(sets.map(async (one) => (await loadPositions(checkpoints, ownerOf(one))).length))),
    1,
  )
  const moves = await Promise.all(
    Array.from({ length: parts }, async (_, partition) => {
      const { first, next } = ends[partition] ?? { first: 0, next: 0 }
      const is = (await warehouse.progress(sinkReader(stream, partition))) ?? 0
      return { reader: sinkReader(stream, partition), is, next: isAnew(state) ? first : Math.min(Math.max(is, first), next) }
    }),
  )
  if (!isAnew(state) && moves.every(({ is, next }) => is === next)) return undefined

  const lost = (
    await Promise.all(
      sets.map(async (definition) => {
        const { set } = definition
        const positions = await loadPositions(checkpoints, ownerOf(definition))
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
      for (const { reader, next } of moves) if (sets.length > 0) await warehouse.write(sets[0]!.set, noRows, { reader, next })
      const writer = await log.writer(`reset/${outflow}`)
      await writer.commit({ save: [keptTopic(outflow, id)] }).finally(() => writer.close())
    },
  }
}
