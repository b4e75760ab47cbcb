/** The batch without a store: years of a file through one version's engine, from nothing, to whoever writes the rows. */
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { makerOf } from '../feature-defs/maker.ts'
import { noNumbersCounter, type NoNumbers } from '../feature-defs/models/no-numbers.ts'
import { rowsOf } from '../streams/rows.ts'
import { chosenRows, type RowTotals } from '../schemas/csv/chosen-rows.ts'
import type { Years } from '../schemas/csv/selection.ts'
import type { Clock } from '../utilities/values/clock.ts'
import type { Models } from '../utilities/models.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import type { RejectsFile } from '../utilities/files/rejects.ts'
import type { Source } from '../utilities/source.ts'

export type ComputePorts = {
  readonly source: Source
  readonly clock: Clock
  readonly rejects: RejectsFile
  readonly models: Models
  /** Takes the rows in order. */
  readonly write: (rows: Columns) => Promise<void>
}

export type ComputeOptions = {
  readonly definition: Definition
  readonly years: Years
  readonly strict: boolean
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number }) => void
}

/** What became of the file's rows, and how many values of features their types had no room for. */
export type Computed = RowTotals & { readonly beyond: number; readonly noNumbers?: NoNumbers }

/** Throws the signal's reason when it aborts: what was written until then is not all. */
export async function compute(
  { source, clock, rejects, models, write }: ComputePorts,
  { definition, years, strict, signal, report }: ComputeOptions,
): Promise<Computed> {
  const { record } = definition
  const maker = makerOf(definition, { models })
  const noNumbers = noNumbersCounter()
  const { total, stretches } = chosenRows({ records: [record], source, signal, base: 0, years, strict, rejects, isThere: () => false })
  const writes = oneAhead()
  try {
    for await (const {
      chosen: [records],
      keepAndCount,
    } of stretches) {
      if (!records) continue
      await keepAndCount(records.count)
      if (records.count > 0) {
        const { values } = await maker.push(records)
        const made = rowsOf(definition, records, values, clock())
        noNumbers.add(label(definition), maker.noNumbers())
        await writes.begin(() => write({ ...made, transferable: true }))
      }
      report({ rows: records.count })
      signal.throwIfAborted()
    }
  } finally {
    // Nothing is being written any more, whatever else went wrong.
    await writes.settled().catch(() => {})
  }
  await writes.settled()
  return { ...total, beyond: maker.beyond(), ...noNumbers.found() }
}
