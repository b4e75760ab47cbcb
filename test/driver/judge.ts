/** Compares what can be seen of a store with what the model says should be: every row of every view, to the last digit. */
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import type { Look, Row } from './look.ts'
import type { Cell, Loan } from './loans.ts'
import { chainOf, isRunning, owns, partitionIn, type Model } from './model.ts'
import type { Oracle } from './oracle.ts'

const recordColumns = Object.keys(rejectedLoan.fields)

export type Expected = { readonly must: ReadonlyMap<number, Row>; readonly may: ReadonlyMap<number, Row> }

/** The rows of a version by _seq: those that must be in its view, and those that may be there already. */
export function expectedOf(model: Model, oracle: Oracle, version: number): Expected {
  const { taken, versions, set, unsunk, batch } = model
  const [must, may] = [new Map<number, Row>(), new Map<number, Row>()]
  const { owned } = versions[version]!
  const coming = (batch?.loans ?? []).filter((loan) => owned[partitionIn(model, loan)]!.until === null)
  for (const [partition, part] of owned.entries()) {
    const before = new Set(taken[partition]!.map(({ seq }) => seq))
    const maybe = new Set(coming.filter((loan) => partitionIn(model, loan) === partition && !before.has(loan.seq)).map(({ seq }) => seq))
    const loans = [...taken[partition]!, ...coming.filter(({ seq }) => maybe.has(seq))]
    for (const own of set.per === null ? [loans] : Map.groupBy(loans, ({ state }) => state).values()) {
      const values = set.chain[version]!.features.map((feature) => {
        const origin = part.origins[feature.name]!
        const from = own.findIndex(({ seq }) => seq > origin)
        const known = from < 0 ? [] : oracle(feature, `${partition} ${own[0]!.state} ${maybe.size}`, own.slice(from))
        return (i: number): Cell => (from < 0 || i < from ? null : known[i - from]!)
      })
      for (const [i, loan] of own.entries()) {
        if (!owns(part, loan.seq)) continue
        const row = rowOf(loan, version, Object.fromEntries(set.chain[version]!.features.map(({ name }, f) => [name, values[f]!(i)])))
        ;(maybe.has(loan.seq) || unsunk.has(`${version}:${loan.seq}`) ? may : must).set(loan.seq, row)
      }
    }
  }
  return { must, may }
}

const rowOf = ({ seq, cells }: Loan, version: number, features: Row): Row => ({
  ...Object.fromEntries(recordColumns.map((name, i) => [name, cells[i]!])),
  ...features,
  _version: version,
  _seq: seq,
})

/** The first few differences in words; none when all is as it should be. */
export function wrongIn(model: Model, oracle: Oracle, look: Look): string[] {
  const wrong: string[] = []
  if (look.unfinished.length > 0) wrong.push(`unfinished: ${look.unfinished.join(' | ')}`)
  if (look.backfillPending && !model.batch) wrong.push('a backfill is unfinished that nobody cut short')
  if (look.shown !== model.shown.at(-1)) wrong.push(`@${look.shown} is shown, not @${model.shown.at(-1)}`)
  if (look.leftOver > 0) wrong.push(`${look.leftOver} rows of versions without a view`)
  for (const { version, retired } of model.versions) {
    const view = look.views.get(version)
    if (retired) {
      if (view) wrong.push(`@${version} is retired and has a view`)
    } else if (!view) wrong.push(`@${version} has no view`)
    else wrong.push(...differences(`@${version}`, expectedOf(model, oracle, version), view))
  }
  for (const version of look.views.keys()) if (!model.versions[version]) wrong.push(`@${version} has a view and was never applied`)
  wrong.push(...wrongInBase(model, look))
  return wrong.slice(0, 6)
}

function differences(view: string, { must, may }: Expected, found: readonly Row[]): string[] {
  const wrong: string[] = []
  const there = new Set(found.map(({ _seq }) => _seq as number))
  if (there.size !== found.length) wrong.push(`${view} has ${found.length - there.size} records twice`)
  for (const row of found) {
    const seq = row['_seq'] as number
    const expected = must.get(seq) ?? may.get(seq)
    if (!expected) wrong.push(`${view} has a row ${seq} that is not its own`)
    else if (!same(expected, row)) wrong.push(`${view}, row ${seq}: ${unlike(expected, row)}`)
  }
  const missing = [...must.keys()].filter((seq) => !there.has(seq))
  if (missing.length > 0) wrong.push(`${view} lacks ${missing.length} rows: ${missing.slice(0, 8).join(', ')}`)
  return wrong.slice(0, 3)
}

const same = (a: Row, b: Row) =>
  Object.keys(b).length === Object.keys(a).length && Object.entries(a).every(([name, value]) => b[name] === value)
const unlike = (a: Row, b: Row) =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((name) => a[name] !== b[name])
    .map((name) => `${name} is ${JSON.stringify(b[name])}, not ${JSON.stringify(a[name])}`)
    .join(', ')

/** Each record from the first version of the chain that has it. */
function wrongInBase(model: Model, look: Look): string[] {
  const { base, views } = look
  const chain = chainOf(model)
  if (chain.length === 0) return base ? ['there is a base view and nothing is shown'] : []
  if (!base) return ['there is no base view']
  const rows = new Map<number, Row>()
  for (const version of chain.toReversed()) for (const row of views.get(version) ?? []) rows.set(row['_seq'] as number, row)
  // In the columns of the version on top.
  const names = [...recordColumns, ...model.set.chain[chain[0]!]!.features.map(({ name }) => name), '_version', '_seq']
  const shown = new Map([...rows].map(([seq, row]) => [seq, Object.fromEntries(names.map((name) => [name, row[name] ?? null]))]))
  return differences('the base view', { must: shown, may: new Map() }, base)
}

/** While something is unfinished: what must be so even then. */
export function wrongAmidst({ open, taken, unsunk, versions }: Model, { base }: Look): string[] {
  // What is shown again lacks the rows since it was shown last, until they are filled.
  if (open!.command.do !== 'apply' && open!.command.do !== 'retire') return []
  if (!versions.some(isRunning)) return []
  const there = new Set((base ?? []).map(({ _seq }) => _seq))
  const surely = new Set([...unsunk].map((one) => Number(one.split(':')[1])))
  const missing = taken.flat().filter(({ seq }) => !there.has(seq) && !surely.has(seq))
  if (missing.length === 0) return []
  return [`the base view lacks ${missing.length} records, ${missing[0]!.seq} among them, while ${open!.command.do} is unfinished`]
}
