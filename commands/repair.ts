/** `repair`: makes what the warehouse and the registry have of a set again, from its journal and its history. */
import { knownSets } from '../feature-defs/known-versions.ts'
import { checkRegistry, checkTopics, hasLostRegistry, takeRegistry } from '../feature-defs/store.ts'
import { Problem } from '../utilities/problem.ts'
import { repair } from '../versions/repair.ts'
import type { Run } from './command.ts'
import { count } from './console.ts'
import { withAnyStore } from './stage.ts'

export const run: Run = async ({ args, config, console, signal }) =>
  withAnyStore({ config, console }, [], async (ports) => {
    const isNew = await hasLostRegistry(ports)
    if (!isNew) await checkRegistry(ports)
    await checkTopics(ports)
    const journals = (await ports.checkpoints.names('journal/')).map((name) => name.slice('journal/'.length))
    const sets = args[0] === undefined ? [...new Set([...journals, ...(await knownSets(ports.registry))])] : [args[0]]
    if (sets.length === 0) throw new Problem('nothing is known of any feature set here', 'There is nothing to repair. To begin: tidemark apply SET@0')
    const done = []
    for (const set of sets) {
      const lease = await ports.lease(`apply-${set}`)
      const progress = console.progress(`repair ${set}`)
      const { schemas, statements, versions } = await repair(ports, { set, signal, report: ({ rows, seq, of }) => progress(rows, { done: seq, of }) }).finally(() => lease.close())
      const lines = [
        ...(schemas > 0 ? [`${count(schemas)} schemas put back`] : []),
        ...(statements.length > 0 ? [`${count(statements.length)} statements for tables and views`] : []),
        ...versions.map(({ version, checked, written, removed, left }) => (left === null
          ? `@${version}: ${count(checked)} records compared, ${count(written)} rows written, ${count(removed)} removed`
          : `@${version}: its rows were left as they are, ${left}`)),
      ]
      done.push({ set, schemas, statements, versions, text: `${set}: ${lines.join('; ') || 'nothing was amiss'}` })
    }
    if (isNew) await takeRegistry(ports)
    console.result(done.map(({ text }) => text).join('\n'), done.map(({ text: _, ...rest }) => rest))
    // Some were left: a script must not take that for done.
    return done.some(({ versions }) => versions.some(({ left }) => left !== null)) ? 1 : 0
  })
