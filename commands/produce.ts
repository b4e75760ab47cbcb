/** `produce`: years of the loan file into inflow. */
import { chainOf, loadDefinitions } from '../config/definitions.ts'
import { sourceAt } from '../config/wire.ts'
import { produce } from '../producer/produce.ts'
import { Problem } from '../utilities/problem.ts'
import type { Run } from './command.ts'
import { count } from './console.ts'
import { streamedSet } from './sets.ts'
import { withPorts } from './stage.ts'
import { wholeNumber, years } from './words.ts'

export const run: Run = async ({ options, config, console, signal }) => {
  const chosen = years(options)
  const rate = wholeNumber(options, 'rate', { least: 1 })
  const definitions = await loadDefinitions(config.features)
  const { record, per } = chainOf(definitions, streamedSet(definitions)).at(-1)!
  const file = (options['file'] as string | undefined) ?? config.source.file
  const source = await sourceAt(file)

  await withPorts({ config, console }, ['produce'], async (ports) => {
    const progress = console.progress('produce')
    const rejects = ports.rejectsPath('inflow')
    const done = await produce(
      { ...ports, source, rejects: ports.rejects('inflow') },
      { record, per, partitions: config.log.partitions, years: chosen, ...(rate === undefined ? {} : { rate }), strict: options['strict'] === true, continue: options['continue'] === true, signal, report: ({ rows }) => progress(rows) },
    )
    if (done.rows + done.rejected + done.alreadyHeld === 0 && !done.interrupted) throw new Problem(`${file} has no row of ${chosen[0] === chosen[1] ? chosen[0] : chosen.join('-')}`, 'Choose years that it has.')
    const parts = [
      done.rows > 0 ? `produced ${count(done.rows)} records into inflow` : 'nothing new',
      ...(done.alreadyHeld > 0 ? [`${count(done.alreadyHeld)} were there already`] : []),
      ...(done.rejected > 0 ? [`${count(done.rejected)} lines rejected, see ${rejects}`] : []),
      ...(done.interrupted ? ['interrupted: run it again to go on'] : []),
    ]
    console.result(parts.join('; '), { ...done, rejects: done.rejected > 0 ? rejects : null })
  })
}
