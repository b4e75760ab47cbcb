/** `produce`: years of the loan file into inflow. */
import { chainOf, loadDefinitions } from '../config/definitions.ts'
import { sourceAt } from '../config/wire.ts'
import { claimRegistry } from '../feature-defs/store.ts'
import { produce } from '../producer/produce.ts'
import type { Run } from './command.ts'
import { count } from './console.ts'
import { streamedSet } from './sets.ts'
import { withPorts } from './stage.ts'
import { readOf, refuseNothing, totalsText } from './totals.ts'
import { wholeNumber, years } from './words.ts'

export const run: Run = async ({ options, config, console, signal }) => {
  const chosen = years(options)
  const rate = wholeNumber(options, 'rate', { least: 1 })
  const definitions = await loadDefinitions(config.features)
  const { record, per } = chainOf(definitions, streamedSet(definitions)).at(-1)!
  const file = (options['file'] as string | undefined) ?? config.source.file
  const source = await sourceAt(file)

  await withPorts({ config, console }, ['produce'], async (ports) => {
    await claimRegistry(ports)
    const progress = console.progress('produce')
    const rejects = ports.rejectsPath('inflow')
    const done = await produce(
      { ...ports, source, rejects: ports.rejects('inflow') },
      { record, per, partitions: config.log.partitions, years: chosen, ...(rate === undefined ? {} : { rate }), strict: options['strict'] === true, continue: options['continue'] === true, signal, report: ({ rows }) => progress(rows) },
    )
    const totals = { ...done, there: done.alreadyHeld }
    refuseNothing(file, chosen, totals, rejects)
    const text = totalsText(totals, { took: `produced ${count(done.rows)} records into inflow`, rejects, goOn: 'run it again to go on' })
    console.result(text, { ...done, read: readOf(totals), rejects: done.rejected > 0 ? rejects : null })
  })
}
