/**
 * The Avro schemas that peers are given: loans as they lie in inflow, and the rows they should write: the same fields, then the features.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflowSchema, type AvroField, type AvroSchema } from '../../schemas/avro/schema.ts'
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'

const inflow = inflowSchema(rejectedLoan)
/** Without our own attributes. */
const plainField = ({ tidemark: _, ...field }: AvroField): AvroField => field
const features = ['ma50', 'ma100', 'ema50'].map((name): AvroField => ({ name, type: ['null', 'double'], default: null }))

export const loanSchema: AvroSchema = { type: 'record', name: inflow.name, fields: inflow.fields.map(plainField) }
const rowSchema: AvroSchema = { type: 'record', name: 'loan_risk', fields: [...loanSchema.fields, ...features] }

export type SchemaFiles = { readonly inSchema: string; readonly outSchema: string }

export function writeSchemas(dir: string): SchemaFiles {
  const [inSchema, outSchema] = [join(dir, 'loan.avsc'), join(dir, 'row.avsc')]
  writeFileSync(inSchema, JSON.stringify(loanSchema))
  writeFileSync(outSchema, JSON.stringify(rowSchema))
  return { inSchema, outSchema }
}
