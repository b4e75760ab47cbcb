/** `status`: what is where, how far each reader has come, and how fast. */
import { topicsOf } from '../config/config.ts'
import { definitionsOf, tablesIn, type Definitions } from '../config/definitions.ts'
import type { Config } from '../config/shape.ts'
import { leaseHolders, wireFeed, type Ports } from '../config/wire.ts'
import { ofYears } from '../schemas/csv/selection.ts'
import { sink, statusOf, type ReaderStatus, type SetStatus, type Status } from '../use-cases/status.ts'
import { statusOfSources, type SourcesStatus } from '../use-cases/sources.ts'
import { count } from '../utilities/values/digits.ts'
import { isoText } from '../utilities/values/timestamp.ts'
import { printable } from '../utilities/values/printable.ts'
import type { CommandBody } from './command.ts'
import type { Cell } from '../utilities/sql/cells.ts'
import { table } from './console.ts'
import { firstApply } from './first-apply.ts'
import { sourceLines } from './source-lines.ts'
import { withAnyTopicsToRead } from './stage.ts'
import { usage } from './words.ts'

export const run: CommandBody = async ({ options, config, console, signal }) => {
  const { log, dataDir } = config
  const overMs = secondsOver(options['over']) * 1000
  return withAnyTopicsToRead({ config, console }, async (ports) => {
    // On Kafka others may be at work on other machines.
    const atWork = log.kind !== 'embedded' || (await leaseHolders(dataDir)).some(({ name }) => name === 'consume' || name === 'sink')
    const status = await statusOf(ports, { overMs, atWork, signal })
    const fromTopics = await sourcesIn(config, ports)
    const { sets, readers, topics, inflow } = status
    const { gapless = false } = ports.log
    const rows = readers.map((one) => readerCells(one, gapless))
    const lines = [
      sets.length === 0
        ? `No feature set is applied yet: ${await firstApply(config)}`
        : table(
            ['feature set', 'promoted', 'live', 'last record', 'lag', 'duplicates', 'dead', 'held by', 'last switch'],
            sets.map(setCells),
          ),
      ...(rows.length === 0 ? [] : ['', table(['reader', 'topic', 'partition', 'next', 'lag', gapless ? 'rows/s' : 'a second'], rows)]),
      ...(rows.length > 0 && readers.every(({ rate }) => rate === null) ? [noRates] : []),
      '',
      table(
        ['topic', 'partitions', gapless ? 'messages' : 'offsets', 'bytes', 'read by'],
        topics.map((one) => topicCells(one, status)),
      ),
      ...inflow.map(heldText),
      ...ingestLines(status),
      ...(fromTopics ? sourceLines(fromTopics) : []),
    ]
    console.result(lines.join('\n'), { dataDir, ...status, ...(fromTopics && { fromTopics }) })
  })
}

/** Null where nothing comes from topics. */
async function sourcesIn(config: Config, ports: Ports): Promise<SourcesStatus | null> {
  const topics = topicsOf(config)
  if (Object.keys(topics).length === 0) return null
  // Where they do not load, other commands say so.
  const definitions = await definitionsOf(config).catch((): Definitions => new Map())
  const feed = wireFeed(config, () => {}, { withinMs: reachMs })
  const asked = { topics, definitions: [...definitions.values()].flat(), tables: tablesIn(definitions) }
  return statusOfSources({ ...ports, feed }, asked).finally(() => feed.close())
}

/** So long topics of others are tried for. */
const reachMs = 2_000

const noRates = 'nothing runs here; rates over some seconds: tidemark status --over 5'

function secondsOver(given: string | boolean | undefined): number {
  if (given === undefined) return 1
  const seconds = Number(given)
  if (seconds >= 0 && seconds <= 3600) return seconds
  throw usage(`--over ${String(given)} is no number of seconds`, 'Give one up to 3600, e.g. --over 5.')
}

const lagCell = ({ lag, lagOffsets }: { readonly lag: number | null; readonly lagOffsets: number | null }): number | string | null =>
  lagOffsets === null ? null : (lag ?? `${count(lagOffsets)} offsets`)

function setCells(one: SetStatus): Cell[] {
  const { set, promoted, live, position, duplicates, dead, hold, lastSwitch: last } = one
  return [
    set,
    promoted === null ? null : `@${promoted}`,
    live.map((version) => `@${version}`).join(' '),
    position,
    lagCell(one),
    duplicates,
    dead,
    hold?.kind ?? '',
    last ? `@${last.version} after ${count(last.afterSeq)}, ${last.at}` : '',
  ]
}

function readerCells(one: ReaderStatus, gapless: boolean): Cell[] {
  const { reader, topic, partition, next, rate } = one
  const perSecond = rate === null ? '' : count(rate) + (!gapless && reader === sink ? ' offsets' : '')
  return [reader, topic, partition, next, lagCell(one), perSecond]
}

function heldText({ topic, source, years, firstSeq, lastSeq, rows }: Status['inflow'][number]): string {
  return `${topic} holds ${count(rows)} records of ${printable(source.name)}: rows ${firstSeq}–${lastSeq}${ofYears(years)}`
}

/** The load that is not done, what the tables hold, the widest change, and up to when ticks have come. */
function ingestLines({ ingest: { load, tables, facts, widest } }: Status): readonly string[] {
  const seconds = (known: string) => isoText((BigInt(known) / 1_000_000_000n) * 1_000_000n)
  return [
    ...Object.entries(tables).map(([name, { rows, known }]) => `table ${name} has ${count(rows)} rows, as of ${seconds(known)}`),
    ...Object.entries(facts).flatMap(([stream, { tick, ended }]) => {
      if (ended) return [`inflow.${stream} has ended: no version of a set is over those facts any more`]
      return tick === null ? [] : [`${stream}: ${tick.text} has come`]
    }),
    ...(widest === null
      ? []
      : [`the widest change so far: ${count(widest.rows)} rows changed ${count(widest.facts)} facts, at ${seconds(widest.known)}`]),
    ...(load === null ? [] : [underWayText(load)]),
  ]
}

/** One of no table writes the facts that stand into the stream of a version that begins. */
function underWayText({ tables, facts, since, rowsDone, rows }: NonNullable<Status['ingest']['load']>): string {
  if (tables.length === 0) return `the first facts of ${facts.join(', ')} are written since ${since}: run that apply, or any load, to go on`
  const names = tables.map(({ table: name }) => name).join(', ')
  const done = `${count(rowsDone)} of ${count(rows)} changed rows written`
  // What comes from topics is no file with a checksum.
  if (tables.every(({ sha256 }) => sha256 === ''))
    return `what topics say of ${names} is being written since ${since}, with ${done}: tidemark ingest goes on`
  return `a load of ${names} is under way since ${since}, with ${done}: run it again to go on`
}

function topicCells({ topic, partitions, bytes }: Status['topics'][number], { streams, readers }: Status): Cell[] {
  const sunk = streams.find(({ outflow }) => outflow === topic)?.sink
  // Facts are brought to the warehouse as they come in, too.
  const taken = readers.some((one) => one.reader === sink && one.topic === topic) ? 'consume, sink' : 'consume'
  const reader = topic.endsWith('.dead') ? 'nobody: look at them with tidemark topics' : taken
  const readBy = sunk ? `sink, lag ${lagCell(sunk)}` : reader
  return [topic, partitions.length, partitions.reduce((sum, { first, next }) => sum + next - first, 0), bytes, readBy]
}
