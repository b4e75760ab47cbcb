/** `repair`: makes what the warehouse and the registry have of a set again, from its journal and its history. */
import { repairSets, type RepairedSet } from '../use-cases/repair.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { withAnyStore } from './stage.ts'

export const run: CommandBody = async ({ args, config, console, signal }) =>
  withAnyStore({ config, console }, [], async (ports) => {
    const reportOn = (set: string) => {
      const progress = console.progress(`repair ${set}`)
      return ({ rows, seq, of }: { readonly rows: number; readonly seq: number; readonly of: number }) => progress(rows, { done: seq, of })
    }
    const { schemas, sets } = await repairSets(ports, { only: args[0], signal, reportOn })
    const putBack = schemas > 0 ? [`${count(schemas)} schemas put back`] : []
    console.result([...putBack, ...sets.map(repairedText)].join('\n'), sets)
    // Some were left: a script must not take that for done.
    return sets.some(({ versions }) => versions.some(({ left }) => left !== null)) ? 1 : 0
  })

function repairedText({ set, statements, versions, facts }: RepairedSet): string {
  const lines = [
    ...(statements.length > 0 ? [`${count(statements.length)} statements for tables and views`] : []),
    ...versions.map(({ version, checked, written, removed, left }) =>
      left === null
        ? `@${version}: ${count(checked)} records compared, ${count(written)} rows written, ${count(removed)} removed`
        : `@${version}: its rows were left as they are, ${left}`,
    ),
    ...facts.map((one) => `${count(one.facts)} facts of ${one.fact} written, ${count(one.removed)} removed`),
  ]
  return `${set}: ${lines.join('; ') || 'nothing was amiss'}`
}
