/** A plan in words and as JSON. */
import type { Plan } from '../versions/plan.ts'
import { inWords } from '../versions/changes.ts'
import { count, table, type Json } from './console.ts'

export function planText({ set, version, mode, promoted, features, replayedRecords, writtenRows, ddl }: Plan): string {
  const from = promoted === null ? '' : ` (SQL users see ${set}@${promoted} now)`
  const rows = features.map(({ feature, change, before, after, state }) => [feature, change, before ? inWords(before) : '', after ? inWords(after) : '', state])
  return [
    `Plan for ${set}@${version}${mode === 'first' ? '' : `, --${mode}`}${from}`,
    '',
    table(['feature', 'change', 'before', 'after', 'state'], rows),
    '',
    replayedRecords > 0 ? `Replays ${count(replayedRecords)} records of history${writtenRows > 0 ? ` and writes ${count(writtenRows)} rows` : ', writes no rows for them'}.` : 'Replays no history.',
    ddl.length > 0 ? `Runs in the warehouse:\n${ddl.map((statement) => `  ${statement.replaceAll('\n', '\n  ')};`).join('\n')}` : 'Changes no table and no view.',
    '',
  ].join('\n')
}

export const planJson = (plan: Plan) => plan as unknown as { readonly [name: string]: Json }
