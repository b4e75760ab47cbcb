/** A plan in words and as JSON. */
import type { Plan } from '../versions/plan.ts'
import { inWords } from '../versions/changes.ts'
import { count, duration, table, type Json } from './console.ts'

export function planText(plan: Plan): string {
  const { set, version, mode, changes, promoted, features, incompatible, ddl, views, dependents, pinned } = plan
  if (!changes) return `${set}@${version} is applied: nothing to do`
  const from = promoted === null ? '' : `; SQL users see ${set}@${promoted} now`
  const rows = features.map(({ feature, change, before, after, state }) => [feature, change, before ? inWords(before) : '', after ? inWords(after) : '', state])
  return [
    `Plan for ${set}@${version}${mode === 'first' ? '' : ` (--${mode}${from})`}`,
    '',
    table(['feature', 'change', 'before', 'after', 'state'], rows),
    '',
    incompatible.length > 0 ? `Schema: INCOMPATIBLE, it will be refused: ${incompatible.join('; ')}` : 'Schema: compatible with the versions before.',
    `History: ${replayText(plan)}`,
    ddl.length > 0 ? `Warehouse: ${ddl.length} ${ddl.length === 1 ? 'statement' : 'statements'}, shown below.` : 'Warehouse: no table and no view changes.',
    ...(views.length > 0 ? [`Views made anew: ${views.join(', ')}`] : []),
    ...dependents.map(({ view, uses }) => `Depends on them: ${view} (uses ${uses.join(', ')})`),
    ...pinned.map(({ view, by }) => `Stays as it is: ${view}${by.length > 0 ? `, used by ${by.join(', ')}` : ''}`),
    ...(ddl.length > 0 ? ['', ...ddl.map((statement) => `  ${statement.replaceAll('\n', '\n  ')};`)] : []),
    '',
  ].join('\n')
}

function replayText({ replayedRecords, writtenRows, seconds, bytes }: Plan): string {
  if (replayedRecords === 0) return 'nothing is replayed.'
  const time = seconds === null ? 'time not known before the first measurement here' : `about ${duration(seconds)}`
  if (writtenRows === 0) return `${count(replayedRecords)} records are replayed for the state, and no row is written for them; ${time}.`
  return `${count(replayedRecords)} records are replayed and as many rows written; ${time}, ${bytes === null ? 'size not known yet' : `about ${count(Math.max(1, Math.round(bytes / 1e6)))} MB`}.`
}

export const planJson = ({ seen: _, ...plan }: Plan) => plan as unknown as { readonly [name: string]: Json }
