/** The batch without a store: years of a file through one version's engine, from nothing, to whoever writes the rows. */
import { engine } from '../feature-defs/engine.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { inputsOf } from '../feature-defs/inputs.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import { chosenOf, readDated, unreadable, type Years } from '../schemas/selection.ts'
import type { Clock } from '../utilities/clock.ts'
import { pick, type Columns } from '../utilities/columns.ts'
import { oneAhead } from '../utilities/one-ahead.ts'
import type { RejectsFile } from '../utilities/source/rejects-file.ts'
import type { Source } from '../utilities/source/source.ts'

export type ComputePorts = {
  readonly source: Source
  readonly clock: Clock
  readonly rejects: RejectsFile
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

export type Computed = { readonly rows: number; readonly rejected: number; /** Rows and lines of other years. */ readonly notChosen: number }

/** Throws the signal's reason when it aborts: what was written until then is not all. */
export async function compute({ source, clock, rejects, write }: ComputePorts, { definition, years, strict, signal, report }: ComputeOptions): Promise<Computed> {
  const { record } = definition
  const { push } = engine(definition)
  const total = { rows: 0, rejected: 0, notChosen: 0 }
  const writes = oneAhead()
  try {
    for await (const batch of readDated(record, source.read(signal), { base: 0, place: source.place })) {
      const chosen = chosenOf(batch, record.at, years)
      if (strict && chosen.rejects.length > 0) throw unreadable(source.place, chosen.rejects[0]!)
      const records = pick(batch.columns, chosen.rows)
      if (records.count > 0) {
        const made = rowsOf(definition, records, push(inputsOf(definition, records)), clock())
        await writes.begin(() => write({ ...made, handedOver: true }))
      }
      await rejects.append(chosen.rejects)
      total.rows += records.count
      total.rejected += chosen.rejects.length
      total.notChosen += batch.columns.count + batch.rejects.length - records.count - chosen.rejects.length
      report({ rows: records.count })
      signal.throwIfAborted()
    }
  } finally {
    // Nothing is being written any more, whatever else went wrong.
    await writes.settled().catch(() => {})
  }
  await writes.settled()
  return total
}
