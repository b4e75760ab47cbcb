/** A plan in words. */
import { inWords } from '../feature-defs/in-words.ts'
import type { Planned } from '../use-cases/plan.ts'
import { count } from '../utilities/values/digits.ts'
import { printable } from '../utilities/values/printable.ts'
import { duration, table } from './console.ts'

export function planText(plan: Planned): string {
  const { set, version, mode, changes, promoted, features, fields, incompatible, ddl, views, dependents, pinned, largestKey } = plan
  if (!changes) return `${set}@${version} is applied: nothing to do`
  const from = promoted === null ? '' : `; SQL users see ${set}@${promoted} now`
  const rows = features.map(({ feature, change, before, after, state }) => [
    feature,
    change,
    before ? inWords(before) : '',
    after ? inWords(after) : '',
    state,
  ])
  const fits = incompatible.length === 0
  const statements = ddl.length === 1 ? 'statement' : 'statements'
  return [
    `Plan for ${set}@${version}${mode === 'first' ? '' : ` (--${mode}${from})`}`,
    '',
    table(['feature', 'change', 'before', 'after', 'state'], rows),
    '',
    ...(fields.length > 0 ? [`Record: has ${fields.join(', ')} too, null in records of before.`] : []),
    `Schema: ${fits ? 'compatible with the versions before.' : `INCOMPATIBLE, it will be refused: ${incompatible.join('; ')}`}`,
    ...(plan.stream ? [`Stream: ${streamText(plan.stream)}`] : []),
    ...(plan.widest
      ? [`Widest change so far: ${count(plan.widest.rows)} rows of its tables changed ${count(plan.widest.facts)} facts.`]
      : []),
    `History: ${replayText(plan)}`,
    ...(largestKey ? [`State: grows with what it sees; ${largestText(largestKey)}`] : []),
    `Warehouse: ${ddl.length > 0 ? `${ddl.length} ${statements}, shown below.` : 'no table and no view changes.'}`,
    ...(views.length > 0 ? [`Views made anew: ${views.join(', ')}`] : []),
    ...dependents.map(({ view, uses }) => `Depends on them: ${view} (uses ${uses.join(', ')})`),
    ...pinned.map(({ view, by }) => `Stays as it is: ${view}${by.length > 0 ? `, used by ${by.join(', ')}` : ''}`),
    ...(ddl.length > 0 ? ['', ...ddl.map((statement) => `  ${statement.replaceAll('\n', '\n  ')};`)] : []),
    '',
  ].join('\n')
}

const largestText = ({ key, bytes }: NonNullable<Planned['largestKey']>) =>
  `${key === '' ? 'what there is takes' : `the largest key, ${printable(key)}, takes`} ${count(bytes)} bytes now.`

function streamText({ inflow, begun, facts, tick, known }: NonNullable<Planned['stream']>): string {
  if (begun) return `${inflow}, which has begun and holds ${count(facts)} messages.`
  const asOf = [...(known === null ? [] : [`as known at ${known}`]), ...(tick === null ? [] : [`with ${tick} as the date`])].join(', ')
  const from = asOf === '' ? '' : `; its windows count from them, ${asOf}`
  return `${inflow} begins with the facts that stand, at most ${count(facts)} messages${from}.`
}

function replayText({ replayedRecords, writtenRows, seconds, bytes }: Planned): string {
  if (replayedRecords === 0) return 'nothing is replayed.'
  const time = seconds === null ? 'time not known before the first measurement here' : `about ${duration(seconds)}`
  if (writtenRows === 0) return `${count(replayedRecords)} records are replayed for the state, and no row is written for them; ${time}.`
  const size = bytes === null ? 'size not known yet' : `about ${count(Math.max(1, Math.round(bytes / 1e6)))} MB`
  return `${count(replayedRecords)} records are replayed and as many rows written; ${time}, ${size}.`
}
