/** `diff`: two versions of a set compared. */
import { inWords } from '../feature-defs/in-words.ts'
import { compareVersions, type Comparison } from '../use-cases/diff.ts'
import { count, short } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { table } from './console.ts'
import { withPortsToRead } from './stage.ts'
import { setAtVersion, usage } from './words.ts'

export const run: CommandBody = async ({ args, config, console, signal }) => {
  const [a, b] = [setAtVersion(args[0]), setAtVersion(args[1])]
  if (a.set !== b.set) throw usage(`${args[0]} and ${args[1]} are different sets`, 'Compare two versions of the same set.')
  return withPortsToRead({ config, console }, async (ports) => {
    const progress = console.progress('diff')
    const found = await compareVersions(ports, { set: a.set, from: a.version, to: b.version, signal, report: progress })
    console.result(diffText(found), found)
  })
}

const measures = ['feature', 'rows changed', '%', 'mean |Δ|', 'max |Δ|', 'p50', 'p90', 'p99']

function diffText({ set, from, to, features, rows, values }: Comparison): string {
  const definitions = features.map(({ feature, change, before, after }) => [
    feature,
    change,
    before ? inWords(before) : '',
    after ? inWords(after) : '',
  ])
  const measured = values.map(({ feature, changed, changedPercent, mean, max, quantiles: { p50, p90, p99 }, nullsBefore, nullsAfter }) => [
    feature,
    changed,
    `${changedPercent.toFixed(2)} %`,
    ...[mean, max, p50, p90, p99].map(short),
    nullsBefore,
    nullsAfter,
  ])
  return [
    table(['feature', 'change', `@${from}`, `@${to}`], definitions),
    '',
    `${set}@${from} has ${count(rows.from)} rows, ${set}@${to} ${count(rows.to)}; ${count(rows.both)} records have both.`,
    ...(rows.both > 0 ? ['', table([...measures, `nulls @${from}`, `nulls @${to}`], measured)] : []),
  ].join('\n')
}
