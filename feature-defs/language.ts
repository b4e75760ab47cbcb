/** The language of definitions as the package exports it: what a user's own definitions file imports. */
export * from './operators.ts'
export { featureSet } from './feature-set.ts'
export type { Definition, FeatureRow, FeatureSet } from './feature-set.ts'
export { date, number, record, text } from '../schemas/record.ts'
export type { RecordOf } from '../schemas/record.ts'
export { rejectedLoan } from '../schemas/rejected-loan.ts'
