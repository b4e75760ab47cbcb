/** A feature's definition as its author wrote it: `mean('risk_score', { last: 50, round: 3 })`. */
import type { Json } from '../schemas/avro/schema.ts'
import type { OperatorSpec } from './define-operator.ts'

export function inWords({ op, of, ...options }: OperatorSpec): string {
  const listed = Object.entries(options).map(([name, value]) => `${name}: ${valueInWords(name === 'sha256' ? shortened(value) : value)}`)
  return `${op}('${of}', { ${listed.join(', ')} })`
}

function valueInWords(value: Json): string {
  if (typeof value === 'string') return `'${value}'`
  return Array.isArray(value) ? `[${value.map(valueInWords).join(', ')}]` : JSON.stringify(value)
}

/** Enough to tell two files from each other. */
const shortened = (value: Json): Json => (typeof value === 'string' ? `${value.slice(0, 12)}…` : value)
