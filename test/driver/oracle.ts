/** The rows that versions should have, by brute force from the definitions: each window taken anew in exact fractions. */
import type { NamedFeature } from '../../feature-defs/feature-set.ts'
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import { exactAt } from '../exact.ts'
import type { Loan } from './loans.ts'

/** Values after each record, remembered: records are only ever added behind. */
export type Oracle = (feature: NamedFeature, key: string, records: readonly Loan[]) => readonly Score[]
type Score = number | null

/** `key` tells series of records apart that do not begin alike; one that is longer goes on from one that was asked before. */
export function oracle(): Oracle {
  const known = new Map<string, { readonly seqs: readonly number[]; readonly values: readonly Score[] }>()
  return ({ spec }, key, records) => {
    const name = `${JSON.stringify(spec)} ${key} ${records[0]?.seq}`
    const before = known.get(name)
    const same = before?.seqs.every((seq, i) => records[i]?.seq === seq) ? before : { seqs: [], values: [] }
    if (same.seqs.length === records.length) return same.values
    const all = records.map(({ score, day }) => ({ input: score, day }))
    const valueAt = (row: number) => exactAt(spec, rejectedLoan.fields.risk_score, all, row) as Score
    const values = [...same.values, ...records.slice(same.seqs.length).map((_, i) => valueAt(same.seqs.length + i))]
    known.set(name, { seqs: records.map(({ seq }) => seq), values })
    return values
  }
}
