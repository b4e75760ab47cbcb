/**
 * The producer: replays the chosen years of a CSV into the inflow of its record, and records what the topic holds in the same commit as the
 * records.
 */
import type { Per } from '../feature-defs/keys.ts'
import { isFromTopics, latestOf, loadHeld, saveHeld } from '../streams/held.ts'
import { registerInflow } from '../streams/inflow.ts'
import { unkept } from '../streams/kept-schemas.ts'
import { baseFor } from '../streams/numbering.ts'
import { ensureTopics, keyOrOne, messageKeys, saveKeyedBy, spread } from '../streams/routing.ts'
import { producerName, streamOf, type Stream } from '../streams/stream.ts'
import { takenByBatches, takeToCome } from '../streams/taken.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { chosenRows } from '../schemas/csv/chosen-rows.ts'
import { encoder } from '../schemas/avro/encode.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { extendTake, joinTake, nothingYet, takenIn, untaken, ofYears, type Years } from '../schemas/csv/selection.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import { columnOf } from '../utilities/values/columns.ts'
import { Fenced, type Log } from '../utilities/log.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import type { RejectsFile } from '../utilities/files/rejects.ts'
import type { Source, SourceIdentity } from '../utilities/source.ts'
import { pacer } from './pace.ts'

export type ProducePorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly source: Source
  readonly rejects: RejectsFile
}

export type ProduceOptions = {
  readonly record: RecordSchema
  /** The field whose value says which partition a record goes to. */
  readonly per: Per
  /** How many inflow gets if it has to be made. */
  readonly partitions: number
  readonly years: Years
  /** Records a second; as fast as it goes without. */
  readonly rate?: number
  /** Stop at the first line that cannot be read. */
  readonly strict: boolean
  /** Let another file continue the numbering of the ones before. */
  readonly continue: boolean
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number; readonly rejected: number; readonly seq: number }) => void
}

/**
 * Rows of the file: taken, there already (in inflow, or taken by a batch), rejected now or before, of other years; together what was read.
 */
export type Produced = {
  readonly rows: number
  readonly alreadyHeld: number
  readonly rejected: number
  readonly rejectedBefore: number
  readonly notChosen: number
  readonly interrupted: boolean
}

export async function produce(ports: ProducePorts, options: ProduceOptions): Promise<Produced> {
  const { log, registry, source, rejects } = ports
  const { record, per, years, strict, signal, report } = options
  const stream = streamOf(record)
  // What is in inflow cannot be taken back: the file must be whole before the first record goes there.
  const identity = await source.identify(signal)
  await source.prove(signal)
  const wanted = (await log.partitions(stream.inflow)) || options.partitions
  if (per === null && wanted > 1) throw keyless(record, wanted)
  const registered = await registerInflow(registry, record)
  const partitions = await ensureTopics(ports, stream, wanted)

  // The name first, then what was taken: a batch holds its set, then takes the name for a moment, so that whoever has it has seen the hold.
  const writer = await log.writer(producerName(stream))
  // A batch is read and encoded while the one before is committed.
  const commits = oneAhead()
  try {
    const { held, base, taken, latest, by } = await before(ports, options, identity)
    const isKnown = held.some((take) => take.base === base)
    // Lines that a killed run put there before its commit: they come again.
    await rejects.keep((seq) => seq <= latestOf(held))

    const encode = encoder(inflowSchema(record), registered.id)
    const schema = await unkept(ports, [registered])
    const pace = pacer(options.rate)
    let take = nothingYet({ source: identity, base, years, after: latest })
    const { total, stretches } = chosenRows({
      records: [record],
      source,
      base,
      rowsPerBatch: pace.rowsPerBatch,
      years,
      strict,
      rejects,
      isThere: taken.has,
    })

    for await (const stretch of stretches) {
      const { chosen, lines, lastSeq } = stretch
      const fresh = untaken(chosen[0]!, record.at, taken)
      const rows = fresh.count
      const seq = columnOf(fresh, '_seq', 'int').values
      // Rows come in rising order, so that the first one tells of all of them, before anything is written.
      if (seq[0]! <= latest) throw behind(years, seq[0]!, latest, by)
      take = extendTake(take, seq, lines)
      await stretch.keepAndCount(rows)
      // A file of which no row was ever taken may still be replaced by a better one.
      if (rows > 0 || (lines.length > 0 && (isKnown || take.rows > 0))) {
        const append =
          rows === 0
            ? []
            : spread(fresh, { per, partitions }).map(({ partition, records, keys = messageKeys(records, per) }) => {
                return { topic: stream.inflow, partition, batch: { ...encode(records), ...(keys && { keys }) } }
              })
        const save = [saveHeld(stream, joinTake(held, take)), saveKeyedBy(stream, per), ...schema]
        await commits.begin(async () => {
          await writer.commit({ append, save })
          report({ rows, rejected: lines.length, seq: lastSeq })
        })
        await pace.afterRows(rows, signal)
      } else {
        report({ rows: 0, rejected: lines.length, seq: lastSeq })
      }
      if (signal.aborted) break
    }
    await commits.settled()
    const { rows, there: alreadyHeld, ...rest } = total
    return { rows, alreadyHeld, ...rest, interrupted: signal.aborted }
  } catch (error) {
    throw error instanceof Fenced ? takenOver(stream, error) : error
  } finally {
    await commits.settled().catch(() => {})
    await writer.close()
  }
}

/** What was taken before, by whomever, and who took the last of it. */
async function before(
  { checkpoints, registry, source }: ProducePorts,
  { record, continue: carryOn, signal }: ProduceOptions,
  identity: SourceIdentity,
) {
  const stream = streamOf(record)
  const held = await loadHeld(checkpoints, stream)
  if (held.some(isFromTopics)) throw fromTopics(stream)
  const base = await baseFor({ checkpoints, registry }, { source, identity, record, carryOn, signal })
  const { takes, unfinished } = await takenByBatches({ registry, checkpoints }, stream)
  const toCome = await Promise.all(unfinished.map((one) => takeToCome({ source, identity, record, base }, one)))
  const latest = Math.max(base, latestOf([...held, ...takes, ...toCome]))
  return {
    held,
    base,
    taken: takenIn([...[...held, ...takes].filter((take) => take.base === base), ...toCome]),
    latest,
    by: latest === latestOf(held) ? `${stream.inflow} holds` : 'a batch has taken',
  }
}

const keyless = (record: RecordSchema, partitions: number) =>
  new Problem(
    `${streamOf(record).inflow} has ${partitions} partitions, and no field says which of them a ${record.name} belongs to`,
    `Give the feature set ${keyOrOne}`,
  )

/** The log cannot tell them apart. */
const takenOver = ({ inflow }: Stream, cause: Fenced) =>
  new Problem(
    `another producer took over ${inflow}, or this one was stopped, or the log away, for so long that its last batch was given up, ` +
      'or a backfill has begun',
    'Nothing is lost or doubled. Once no other producer runs, run this again: it goes on from what inflow holds.',
    { cause },
  )

const fromTopics = ({ name, inflow }: Stream) =>
  new Problem(
    `${inflow} holds records of a topic, which more may come from at any time: those of a file have no place among them`,
    `Let the file's records come by the same topic, or make another record for them: ${name} is read by tidemark ingest.`,
  )

const behind = (years: Years, seq: number, latest: number, by: string) =>
  new Problem(
    `row ${seq}${ofYears(years)} lies behind row ${latest}, which ${by} already`,
    'A stream cannot go back: backfill the earlier years before producing later ones, or start over in an empty data directory.',
  )
