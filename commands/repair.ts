/** `repair`: makes what the warehouse and the registry have of a set again, from its journal and its history. */
import { knownSets } from '../feature-defs/known-versions.ts'
import { checkRegistry, checkTopics, hasLostRegistry, takeRegistry } from '../feature-defs/store.ts'
import { Problem } from '../utilities/problem.ts'
import type { Watch } from '../versions/bring.ts'
import { setsWithJournal } from '../versions/keep.ts'
import { repair, restoreSchemas } from '../versions/repair.ts'
import type { Run } from './command.ts'
import { count } from './console.ts'
import { withAnyStore } from './stage.ts'

export const run: Run = async ({ args, config, console, signal }) =>
  withAnyStore({ config, console }, [], async (ports) => {
    const isNew = await hasLostRegistry(ports)
    if (!isNew) await checkRegistry(ports)
    await checkTopics(ports)
    const restored = await restoreSchemas(ports)
    const schemas = [...restored.values()].reduce((sum, one) => sum + one, 0)
    const all = new Set([...(await setsWithJournal(ports.checkpoints)), ...(await knownSets(ports.registry))])
    const sets = args[0] === undefined ? [...all] : [args[0]]
    // Without a set there may be records that were produced before anything was applied.
    if (sets.length === 0 && schemas === 0) {
      throw new Problem('nothing is known of any feature set here', 'There is nothing to repair. To begin: tidemark apply SET@0')
    }
    const done = []
    for (const set of sets) {
      const lease = await ports.lease(`apply-${set}`)
      const progress = console.progress(`repair ${set}`)
      const report: Watch['report'] = ({ rows, seq, of }) => progress(rows, { done: seq, of })
      const { statements, versions } = await repair(ports, { set, signal, report }).finally(() => lease.close())
      const lines = [
        ...(statements.length > 0 ? [`${count(statements.length)} statements for tables and views`] : []),
        ...versions.map(({ version, checked, written, removed, left }) => (left === null
          ? `@${version}: ${count(checked)} records compared, ${count(written)} rows written, ${count(removed)} removed`
          : `@${version}: its rows were left as they are, ${left}`)),
      ]
      done.push({ set, schemas: restored.get(set) ?? 0, statements, versions, text: `${set}: ${lines.join('; ') || 'nothing was amiss'}` })
    }
    if (isNew) await takeRegistry(ports)
    const putBack = schemas > 0 ? [`${count(schemas)} schemas put back`] : []
    const text = [...putBack, ...done.map((one) => one.text)].join('\n')
    console.result(text, done.map(({ text: _, ...rest }) => rest))
    // Some were left: a script must not take that for done.
    return done.some(({ versions }) => versions.some(({ left }) => left !== null)) ? 1 : 0
  })
