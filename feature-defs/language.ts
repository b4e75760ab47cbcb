/** The language of definitions: feature sets, their operators, and the fields of records. */
export * from './operators.ts'
export { median } from './operators/quantile.ts'
export { featureSet } from './feature-set.ts'
export type { Definition, FeatureRow, FeatureSet } from './feature-set.ts'
export { date, decimal, flag, integer, number, record, text, timestamp } from '../schemas/record.ts'
export type { RecordOf } from '../schemas/record.ts'
export { fact } from '../schemas/fact.ts'
export { table } from '../schemas/table.ts'
