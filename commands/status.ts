/** `status`: what is where, how far each reader has come, and how fast. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import { leaseHolders, type Ports } from '../config/wire.ts'
import { loadPositions, running } from '../feature-defs/checkpoint.ts'
import { loadHeld } from '../feature-defs/held.ts'
import { deadTopic, inflowTopic, outflowTopic, sinkReader } from '../feature-defs/inflow.ts'
import { knownSets, knownVersions } from '../feature-defs/known-versions.ts'
import { everyYear, yearsText } from '../schemas/selection.ts'
import type { TopicState } from '../utilities/log/log.ts'
import { printable } from '../utilities/printable.ts'
import { Problem } from '../utilities/problem.ts'
import { promotedIn } from '../versions/journal.ts'
import { loadState } from '../versions/keep.ts'
import type { Run } from './command.ts'
import { count, table, type Cell, type Json } from './console.ts'
import { addLags, lagInWords, lagOf, type Lag } from './lag.ts'
import { firstApply } from './sets.ts'
import { withAnyTopicsToRead } from './stage.ts'

/** How far a reader has come in a partition. */
type Reading = { readonly reader: string; readonly topic: string; readonly partition: number; readonly next: number; readonly taken: number }

type SetState = Awaited<ReturnType<typeof setStates>>[number]

export const run: Run = async ({ options, config, console, signal }) => {
  const overMs = secondsOver(options['over']) * 1000
  return withAnyTopicsToRead({ config, console }, async (ports) => {
    const topics = await ports.log.topics()
    const sets = await setStates(ports)
    const readings = [...consumed(sets), ...(await sunk(ports, topics))]
    const rates = await ratesOf(ports, config, readings, overMs, signal)
    const lags = await Promise.all(readings.map((reading) => lagAt(ports, topics, reading)))
    const behind = (reader: string) => addLags(lags.filter((_, i) => readings[i]!.reader === reader))
    const held = await loadHeld(ports.checkpoints)
    const at = readings.map((reading, i) => ({ ...reading, lag: lags[i]!, rate: rates?.[i] ?? null }))
    const sinkLag = behind(sink)

    const lines = [
      sets.length === 0 ? `No feature set is applied yet: ${await firstApply(config)}` : table(
        ['feature set', 'promoted', 'live', 'last record', 'lag', 'duplicates', 'dead', 'held by', 'last switch'],
        sets.map((one) => setCells(one, behind(one.set)))),
      ...(at.length === 0 ? [] : ['', table(['reader', 'topic', 'partition', 'next', 'lag', ports.log.gapless ? 'rows/s' : 'a second'], at.map(({ reader, topic, partition, next, lag, rate }) =>
        [reader, topic, partition, next, lagInWords(lag), rate === null ? '' : `${count(rate)}${!ports.log.gapless && reader === sink ? ' offsets' : ''}`]))]),
      ...(at.length > 0 && rates === undefined ? ['nothing runs here; rates over some seconds: tidemark status --over 5'] : []),
      '',
      table(['topic', 'partitions', ports.log.gapless ? 'messages' : 'offsets', 'bytes', 'read by'], topics.map((one) => topicCells(one, sinkLag))),
      ...held.map(({ source, years, firstSeq, lastSeq, rows }) => `inflow holds ${count(rows)} records of ${printable(source.name)}: rows ${firstSeq}–${lastSeq}${years.join() === everyYear.join() ? '' : ` of ${yearsText(years)}`}`),
    ]
    console.result(lines.join('\n'), {
      dataDir: config.dataDir,
      sets: sets.map((one) => setJson(one, behind(one.set))),
      topics: topics as unknown as Json,
      readers: at.map(({ lag, taken: _, ...rest }) => ({ ...rest, lag: lag.records, lagOffsets: lag.offsets })),
      sink: { next: at.find(({ reader }) => reader === sink)?.next ?? 0, lag: sinkLag.records, lagOffsets: sinkLag.offsets },
      inflow: held as unknown as Json,
    })
  })
}

const sink = 'sink'

function secondsOver(given: string | boolean | undefined): number {
  if (given === undefined) return 1
  const seconds = Number(given)
  if (!(seconds >= 0 && seconds <= 3600)) throw new Problem(`--over ${String(given)} is no number of seconds`, 'Give one up to 3600, e.g. --over 5.', { usage: true })
  return seconds
}

const setStates = async ({ registry, checkpoints, warehouse }: Pick<Ports, 'registry' | 'checkpoints' | 'warehouse'>) =>
  Promise.all((await knownSets(registry)).map(async (set) => ({
    set,
    positions: await loadPositions(checkpoints, set),
    promoted: promotedIn(await loadState({ registry, checkpoints, warehouse }, set)),
    batchOnly: (await knownVersions(registry, set)).at(-1)!.definition.batchOnly,
  })))

/** Every reader's place in every partition. */
export const readingsOf = async (ports: Ports): Promise<readonly Reading[]> =>
  [...consumed(await setStates(ports)), ...(await sunk(ports, await ports.log.topics()))]

/** Batch-only sets read nothing. */
const consumed = (sets: readonly SetState[]): Reading[] => sets.filter(({ batchOnly }) => !batchOnly).flatMap(({ set, positions }) =>
  positions.map(({ offset, history }, partition) => ({
    reader: set, topic: inflowTopic, partition, next: offset, taken: history.reduce((sum, piece) => sum + (piece.kind === 'inflow' ? piece.rows : 0), 0),
  })))

const sunk = async ({ warehouse }: Pick<Ports, 'warehouse'>, topics: readonly TopicState[]): Promise<Reading[]> =>
  Promise.all((topics.find(({ topic }) => topic === outflowTopic)?.partitions ?? []).map(async (_, partition) => {
    const next = (await warehouse.progress(sinkReader(partition))) ?? 0
    return { reader: sink, topic: outflowTopic, partition, next, taken: next }
  }))

async function lagAt({ log }: Pick<Ports, 'log'>, topics: readonly TopicState[], { topic, partition, next }: Reading): Promise<Lag> {
  const ends = topics.find((one) => one.topic === topic)?.partitions[partition] ?? { first: 0, next: 0 }
  return lagOf(log, topic, partition, ends, next)
}

/** Taken in a second, of each reading; undefined where nobody is at work, so that there is nothing to wait for. */
async function ratesOf(ports: Ports, { dataDir, log }: Config, before: readonly Reading[], overMs: number, signal: AbortSignal): Promise<readonly number[] | undefined> {
  // On Kafka others may be at work on other machines.
  const atWork = log.kind !== 'embedded' || (await leaseHolders(dataDir)).some(({ name }) => name === 'consume' || name === 'sink')
  if (overMs === 0 || (!atWork && overMs <= 1000) || before.length === 0) return undefined
  const startedMs = performance.now()
  await sleep(overMs, undefined, { signal }).catch(() => undefined)
  const after = await readingsOf(ports)
  const seconds = (performance.now() - startedMs) / 1000
  return before.map(({ reader, partition, taken }) => {
    const now = after.find((one) => one.reader === reader && one.partition === partition)
    return Math.round(Math.max(0, (now?.taken ?? taken) - taken) / seconds)
  })
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)
const runsOf = ({ positions }: SetState) => positions.flatMap((position) => running(position).map(({ version }) => version))
const liveOf = (state: SetState) => [...new Set(runsOf(state))]

/** The latest start of a version on any partition. */
function lastSwitch({ positions }: SetState) {
  const all = positions.flatMap(({ runs }) => runs.map(({ version, switchedAt, switchedAfter }) => ({ version, at: switchedAt, afterSeq: switchedAfter })))
  return all.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null
}

function setCells(state: SetState, lag: Lag): Cell[] {
  const { set, positions, promoted, batchOnly } = state
  const last = lastSwitch(state)
  return [
    set, promoted === null ? null : `@${promoted}`, liveOf(state).map((version) => `@${version}`).join(' '), Math.max(...positions.map(({ seq }) => seq)), batchOnly ? null : lagInWords(lag),
    sum(positions.map(({ duplicates }) => duplicates)), sum(positions.map(({ dead }) => dead)), positions.find(({ hold }) => hold)?.hold?.kind ?? '',
    last ? `@${last.version} after ${count(last.afterSeq)}, ${last.at}` : '',
  ]
}

function setJson(state: SetState, lag: Lag): Json {
  const { set, positions, promoted, batchOnly } = state
  const [first] = positions
  return {
    set, promoted, live: liveOf(state), position: Math.max(...positions.map(({ seq }) => seq)), offset: positions.length === 1 ? first!.offset : null,
    lag: batchOnly ? null : lag.records, lagOffsets: batchOnly ? null : lag.offsets,
    duplicates: sum(positions.map(({ duplicates }) => duplicates)), dead: sum(positions.map(({ dead }) => dead)),
    hold: (positions.find(({ hold }) => hold)?.hold ?? null) as unknown as Json, lastSwitch: lastSwitch(state),
    history: positions.flatMap(({ history }) => history) as unknown as Json, runs: positions.flatMap(({ runs }) => runs) as unknown as Json,
  }
}

function topicCells({ topic, partitions, bytes }: TopicState, sinkLag: Lag): Cell[] {
  const readBy = topic === outflowTopic ? `sink, lag ${lagInWords(sinkLag)}` : topic === deadTopic ? 'nobody: look at them with tidemark topics' : 'consume'
  return [topic, partitions.length, sum(partitions.map(({ first, next }) => next - first)), bytes, readBy]
}
