/**
 * The story of three records in one store, told with real processes: produced, computed and sunk side by side, killed, and bumped twice.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { done, freshFolder, start, tidemark, until, warehouseOf } from './cli-run.ts'
import { generated, only } from './loan-folders.ts'
import { differences, readRows } from './oracle/compare.ts'
import { readLoanFile, type Loan } from './oracle/loan-file.ts'
import { expectedRows, madeClicks, madePayments } from './three-records.ts'

export const own = '--config own.json'

export type Told = {
  readonly record: string
  readonly set: string
  readonly file: string
  readonly records: readonly Loan[]
  /** The cell of the key. */
  readonly key: number | undefined
}

export async function tellThree(log: object): Promise<{ readonly folder: string; readonly told: readonly Told[] }> {
  const folder = freshFolder()
  const streams = { payment: { partitions: 3 }, click: { partitions: 2 } }
  writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: resolve('test/three-records.ts'), log, streams }))
  const [payments, clicks] = [madePayments(3000, 5), madeClicks(2400, 7)]
  writeFileSync(join(folder, 'payments.csv'), payments.csv)
  writeFileSync(join(folder, 'clicks.csv'), clicks.csv)
  const loans = await generated(3000)
  const told: readonly Told[] = [
    { record: 'rejected_loan', set: 'loan_risk', file: loans, records: readLoanFile(readFileSync(loans)).loans, key: undefined },
    { record: 'payment', set: 'payments', file: 'payments.csv', records: payments.records, key: 0 },
    { record: 'click', set: 'clicks', file: 'clicks.csv', records: clicks.records, key: 2 },
  ]
  const applyAll = async (version: number) => {
    for (const { set } of told) await done(folder, `apply ${set}@${version} --yes ${own}`)
  }
  const produce = ({ record, file }: Told, years: string) => `produce --years ${years} --record ${record} --file ${file} ${own}`
  const rowsIn = (set: string) => Number(only(folder, `SELECT count(*) FROM ${set}`)[0])
  /** Each has more rows than before. */
  const allMoved = async () => {
    const before = told.map(({ set }) => rowsIn(set))
    return () => told.every(({ set }, i) => rowsIn(set) > before[i]!)
  }

  await applyAll(0)
  for (const one of told) await done(folder, produce(one, '2007-2008'))
  let up = start(folder, `up ${own}`)
  const hasEnded = () => up.hasEnded()
  await until(async () => hasEnded() || told.every(({ set }) => rowsIn(set) > 0))
  await applyAll(1)
  const moved = await allMoved()
  const producing = told.map((one) => start(folder, `${produce(one, '2009-2010')} --rate 500`))
  await until(() => hasEnded() || moved())
  up.signal('SIGKILL')
  expect(await up.ended).toMatchObject({ code: null })
  up = start(folder, `up ${own}`)
  await applyAll(2)
  for (const { ended } of producing) expect(await ended).toMatchObject({ code: 0 })
  up.signal('SIGINT')
  expect(await up.ended).toMatchObject({ code: 0 })
  for (const one of told) await done(folder, produce(one, '2011-2012'))
  await done(folder, `up --until-caught-up ${own}`)
  return { folder, told }
}

/** Every version's rows are those of the oracle, the view over them is that of the last, and each is proved to have all that it should. */
export async function expectOracle(folder: string, told: readonly Told[]): Promise<void> {
  const warehouse = warehouseOf(folder)
  for (const { set, records, key } of told) {
    const newest = expectedRows(records, key, 2)
    expect(differences(warehouse, `${set}_v2`, newest)).toEqual([])
    expect(differences(warehouse, set, newest)).toEqual([])
    for (const version of [0, 1]) {
      // Up to where the next one took over.
      const there = new Set(readRows(warehouse, `SELECT _seq FROM ${set}_v${version}`).map(([seq]) => seq))
      expect(there.size).toBeGreaterThan(50)
      const rows = expectedRows(records, key, version).filter((row) => there.has(row.at(-1)!))
      expect(differences(warehouse, `${set}_v${version}`, rows)).toEqual([])
    }
    for (const version of [0, 1, 2]) expect(await tidemark(folder, `verify ${set}@${version} ${own}`)).toMatchObject({ code: 0 })
  }
}
