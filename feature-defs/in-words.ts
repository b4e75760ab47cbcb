/** A feature's definition as its author wrote it: `mean('risk_score', { last: 50, round: 3 })`. */
import type { OperatorSpec } from './define-operator.ts'

export function inWords({ op, of, ...options }: OperatorSpec): string {
  const listed = Object.entries(options).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : JSON.stringify(value)}`,
  )
  return `${op}('${of}', { ${listed.join(', ')} })`
}
