/** The producer: replays the chosen years of a CSV into `inflow`, and records what the topic holds in the same commit as the records. */
import { baseFor, holds, latestOf, loadHeld, saveHeld } from '../feature-defs/held.ts'
import { inflowTopic, registerInflow } from '../feature-defs/inflow.ts'
import { ensureTopics, keyOrOne, messageKeys, saveKeyedBy, spread } from '../feature-defs/routing.ts'
import { inflowSchema } from '../schemas/avro.ts'
import { readCsv } from '../schemas/csv.ts'
import { encoder } from '../schemas/encode.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { covers, joinRanges, numberedFrom, selectYears, uncovered, unreadable, type Years } from '../schemas/selection.ts'
import type { Checkpoints } from '../utilities/checkpoint/checkpoint.ts'
import { columnOf, pick } from '../utilities/columns.ts'
import { Fenced, type Log } from '../utilities/log/log.ts'
import { oneAhead } from '../utilities/one-ahead.ts'
import { Problem } from '../utilities/problem.ts'
import type { Registry } from '../utilities/registry/registry.ts'
import type { RejectsFile } from '../utilities/source/rejects-file.ts'
import type { Source } from '../utilities/source/source.ts'

export type ProducePorts = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry; readonly source: Source; readonly rejects: RejectsFile }

export type ProduceOptions = {
  readonly record: RecordSchema
  /** The field whose value says which partition a record goes to. */
  readonly per: string | null
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

export type Produced = { readonly rows: number; readonly rejected: number; readonly alreadyHeld: number; readonly interrupted: boolean }

export async function produce({ log, checkpoints, registry, source, rejects }: ProducePorts, options: ProduceOptions): Promise<Produced> {
  const { record, per, years, strict, signal, report } = options
  // What is in inflow cannot be taken back: the file must be whole before the first record goes there.
  const [identity] = await Promise.all([source.identify(signal), source.prove(signal)])
  const wanted = (await log.partitions(inflowTopic)) || options.partitions
  if (per === null && wanted > 1) throw keyless(record, wanted)
  const { id } = await registerInflow(registry, record)
  const partitions = await ensureTopics(log, wanted)

  const writer = await log.writer(`produce/${inflowTopic}`)
  // A batch is read and encoded while the one before is committed.
  const commits = oneAhead()
  try {
    const held = await loadHeld(checkpoints)
    const base = await baseFor(checkpoints, identity, options.continue)
    const mine = held.find((one) => one.base === base) ?? { identity, base, ranges: [] }
    const others = held.filter((one) => one !== mine)
    const latest = Math.max(base, ...held.map(latestOf))
    // Lines that a killed run put there before its commit: they come again.
    await rejects.keep((seq) => holds(held, seq))

    const select = selectYears(record.at, years)
    const encode = encoder(inflowSchema(record), id)
    const pace = pacer(options.rate)
    const total = { rows: 0, rejected: 0, alreadyHeld: 0 }
    let { ranges } = mine

    for await (const csv of readCsv(record, source.read(), { place: source.place, rowsPerBatch: pace.rowsPerBatch })) {
      const batch = numberedFrom(base, csv)
      const chosen = select(batch)
      const bad = chosen.rejects.filter(({ seq }) => !covers(ranges, seq))
      if (strict && bad.length > 0) throw unreadable(source.place, bad[0]!)
      const rows = uncovered(batch.columns, chosen.rows, ranges)
      total.alreadyHeld += chosen.rows.length - rows.length
      if (rows.length > 0 || bad.length > 0) {
        const fresh = pick(batch.columns, rows)
        const first = columnOf(fresh, '_seq', 'int').values[0]
        if (first !== undefined && first <= latest) throw behind(years, first, latest)
        ranges = joinRanges(ranges, chosen.ranges)
        // Rejects before the commit: a crash in between leaves lines that the next run drops, never a silent loss.
        await rejects.append(bad)
        const append = rows.length === 0 ? [] : spread(fresh, { per, partitions }).map(({ partition, records, keys = messageKeys(records, per) }) => {
          return { topic: inflowTopic, partition, batch: { ...encode(records), ...(keys && { keys }) } }
        })
        const save = [saveHeld([...others, { ...mine, ranges }]), saveKeyedBy(per)]
        await commits.begin(async () => {
          await writer.commit({ append, save }).catch(takenOver)
          total.rows += rows.length
          total.rejected += bad.length
          report({ rows: rows.length, rejected: bad.length, seq: batch.lastSeq })
        })
        await pace.afterRows(rows.length, signal)
      } else report({ rows: 0, rejected: 0, seq: batch.lastSeq })
      if (signal.aborted) break
    }
    await commits.settled()
    return { ...total, interrupted: signal.aborted }
  } finally {
    await commits.settled().catch(() => {})
    await writer.close()
  }
}

const keyless = (record: RecordSchema, partitions: number) =>
  new Problem(`inflow has ${partitions} partitions, and no field says which of them a ${record.name} belongs to`,
    `Give the feature set ${keyOrOne}`)

/** The log cannot tell the two apart. */
function takenOver(error: unknown): never {
  if (!(error instanceof Fenced)) throw error
  throw new Problem('another producer took over inflow, or this one was stopped, or the log away, for so long that its last batch was given up',
    'Nothing is lost or doubled. Once no other producer runs, run this again: it goes on from what inflow holds.', { cause: error })
}

const behind = ([from, to]: Years, seq: number, latest: number) =>
  new Problem(`row ${seq} of ${from === to ? from : `${from}-${to}`} lies behind row ${latest}, which inflow holds already`,
    'A stream cannot go back: backfill the earlier years before producing later ones, or start over in an empty data directory.')

/** Spreads the rows over time: small batches, each waited out. */
function pacer(rate: number | undefined) {
  const startedMs = performance.now()
  let sent = 0
  return {
    rowsPerBatch: rate === undefined ? 10_000 : Math.max(1, Math.min(10_000, Math.round(rate / 20))),
    async afterRows(rows: number, signal: AbortSignal) {
      if (rate === undefined) return
      sent += rows
      const aheadMs = (sent / rate) * 1000 - (performance.now() - startedMs)
      if (aheadMs > 0) await new Promise<void>((done) => {
        const timer = setTimeout(done, aheadMs)
        signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true })
      })
    },
  }
}
