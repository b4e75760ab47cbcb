/** `diff`: two versions of a set compared. */
import { Problem } from '../utilities/problem.ts'
import { inWords } from '../versions/changes.ts'
import { diff, type ValueDiff, type VersionsDiff } from '../versions/diff.ts'
import type { Run } from './command.ts'
import { count, table, type Json } from './console.ts'
import { withPortsToRead } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async ({ args, config, console, signal }) => {
  const [a, b] = [setAtVersion(args[0]), setAtVersion(args[1])]
  if (a.set !== b.set) throw new Problem(`${args[0]} and ${args[1]} are different sets`, 'Compare two versions of the same set.', { usage: true })
  return withPortsToRead({ config, console }, async (ports) => {
    const progress = console.progress('diff')
    const found = await diff(ports, { set: a.set, from: a.version, to: b.version, signal, report: progress })
    console.result(diffText(found), found as unknown as Json)
  })
}

function diffText({ set, from, to, features, rows, values }: VersionsDiff): string {
  const definitions = features.map(({ feature, change, before, after }) => [feature, change, before ? inWords(before) : '', after ? inWords(after) : ''])
  const measured = values.map(({ feature, changed, changedPercent, mean, max, quantiles, nullsBefore, nullsAfter }) =>
    [feature, changed, `${changedPercent.toFixed(2)} %`, short(mean), short(max), short(quantiles.p50), short(quantiles.p90), short(quantiles.p99), nullsBefore, nullsAfter])
  return [
    table(['feature', 'change', `@${from}`, `@${to}`], definitions),
    '',
    `${set}@${from} has ${count(rows.from)} rows, ${set}@${to} ${count(rows.to)}; ${count(rows.both)} records have both.`,
    ...(rows.both > 0 ? ['', table(['feature', 'rows changed', '%', 'mean |Δ|', 'max |Δ|', 'p50', 'p90', 'p99', `nulls @${from}`, `nulls @${to}`], measured)] : []),
  ].join('\n')
}

const short = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(6)))

/** One line a feature, for the record. */
export const measuredText = (values: readonly ValueDiff[]): string =>
  values.map(({ feature, rows, changedPercent, lostPercent, max }) => `${feature}: ${changedPercent.toFixed(2)} % of ${count(rows)} rows changed, ${lostPercent.toFixed(2)} % lost their value, at most by ${short(max) ?? 0}`).join('; ')
