/** Steps that take rows of a small file, run in this process, so that a test can interrupt, fence and fault them where it wants. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backfill } from '../batch/backfill.ts'
import type { Ports } from '../config/wire.ts'
import { produce } from '../producer/produce.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import type { Years } from '../schemas/csv/selection.ts'
import { Problem } from '../utilities/values/problem.ts'
import { fileSource } from '../utilities/files/source.ts'
import { warehouseOf } from './cli-run.ts'
import { withPorts } from './loan-folders.ts'
import { loansText } from './loans-text.ts'
import { readRows } from './oracle/compare.ts'

export function putLoans(folder: string, rows: readonly (number | string)[], name = 'loans.csv'): string {
  const path = join(folder, name)
  writeFileSync(path, loansText(rows))
  return path
}

export type Step = {
  readonly file: string
  readonly years: Years
  readonly continue?: boolean
  readonly rate?: number
  readonly signal?: AbortSignal
  /** Changes the ports: to count, to break, to take a writer at the worst moment. */
  readonly through?: (ports: Ports) => Partial<Ports>
  readonly report?: (news: { readonly rows: number; readonly seq: number }) => void
}

const common = ({ years, signal = new AbortController().signal, report = () => {}, ...step }: Step) => ({
  years,
  strict: false,
  continue: step.continue === true,
  signal,
  report,
})

export const producing = (folder: string, step: Step) =>
  withPorts(folder, (ports) =>
    produce(
      { ...ports, ...step.through?.(ports), source: fileSource(step.file), rejects: ports.rejects('inflow') },
      {
        ...common(step),
        record: rejectedLoan,
        per: null,
        partitions: 1,
        ...(step.rate !== undefined && { rate: step.rate }),
      },
    ),
  )

export const backfilling = (folder: string, step: Step, set = 'loan_risk') =>
  withPorts(folder, (ports) =>
    backfill(
      { ...ports, ...step.through?.(ports), source: fileSource(step.file), rejects: ports.rejects(set) },
      { ...common(step), set, by: 'a test' },
    ),
  )

/** What a step that must be refused says. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    (value) => new Error(`no refusal: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  if (!(outcome instanceof Problem)) throw outcome
  return outcome.message
}

/** The numbers of the rows that SQL users see. */
export const seqsShown = (folder: string, view = 'loan_risk'): number[] =>
  readRows(warehouseOf(folder), `SELECT _seq FROM ${view} ORDER BY _seq`).map(([seq]) => seq as number)

/** The numbers of the rows of these years, as the file has them. */
export const seqsOf = (rows: readonly (number | string)[], from: number, to = from): number[] =>
  rows.flatMap((row, i) => (typeof row === 'number' && row >= from && row <= to ? [i + 1] : []))
