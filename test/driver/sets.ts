/** Feature sets made from a seed: three versions, with or without a key, as values for the engine and as the text of a definitions file. */
import type { Definition } from '../../feature-defs/feature-set.ts'
import type { Per } from '../../feature-defs/keys.ts'
import * as language from '../../definitions.ts'
import { oneOf, whole, type Random } from './loans.ts'

export type DrivenSet = { readonly set: string; readonly per: Per; readonly chain: readonly Definition[]; readonly text: string }

export function madeSet(random: Random, keyed: boolean): DrivenSet {
  const set = keyed ? 'by_state' : 'scores'
  const source = keyed ? `{ name: '${set}', of: rejectedLoan, per: 'state' }` : `{ name: '${set}', of: rejectedLoan }`
  const [a, b, c] = [feature(random), feature(random), feature(random)]
  const v1 = oneOf(random, [`v0.add({ b: ${b} })`, `v0.replace({ a: ${b} })`, `v0.add({ again: ${a}, b: ${b} })`])
  const v2 = v1.includes('b:') ? oneOf(random, ['v1.replace({ a: C })', 'v1.replace({ b: C })', 'v1.add({ c: C })']) : 'v1.add({ c: C })'
  const versions = [`featureSet(${source}, { a: ${a} })`, v1, v2.replace('C', c)]
  const imports = ['featureSet', 'rejectedLoan', ...operators]
  const text = `import { ${imports.join(', ')} } from 'tidemark'\n${versions.map((one, i) => `export const v${i} = ${one}`).join('\n')}\n`
  return { set, per: keyed ? 'state' : null, text, chain: chainOf(versions) }
}

const operators = ['mean', 'sum', 'min', 'max', 'count', 'stddev', 'first', 'last', 'distinct', 'median', 'ema'] as const

function feature(random: Random): string {
  const op = oneOf(random, operators)
  if (op === 'ema') return `ema('risk_score', { span: ${whole(random, 2, 9)}, round: 3 })`
  const days = oneOf(random, [
    `days: ${whole(random, 20, 500)}`,
    `months: ${whole(random, 1, 9)}`,
    `olderThanDays: ${whole(random, 1, 90)}`,
  ])
  const window = random() < 0.7 ? `last: ${whole(random, 2, 12)}` : days
  return `${op}('risk_score', { ${window}, round: 3 })`
}

/** The text means here what it means in a file. */
function chainOf(versions: readonly string[]): readonly Definition[] {
  const body = versions.map((one, i) => `const v${i} = ${one};`).join('\n')
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function(...Object.keys(language), `${body} return [v0, v1, v2]`)
  const made = make(...Object.values(language)) as { readonly definition: Definition }[]
  return made.map(({ definition }) => definition)
}
