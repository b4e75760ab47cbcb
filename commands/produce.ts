/** `produce`: years of the loan file into inflow. */
import { chainOf, loadDefinitions } from '../config/definitions.ts'
import { sourceAt } from '../config/wire.ts'
import { produceYears } from '../use-cases/produce.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { streamedSet } from './sets.ts'
import { withPorts } from './stage.ts'
import { totalsText } from './totals.ts'
import { wholeNumber, years } from './words.ts'

export const run: CommandBody = async ({ options, config, console, signal }) => {
  const chosen = years(options)
  const rate = wholeNumber(options, 'rate', { least: 1 })
  const definitions = await loadDefinitions(config.features)
  const { record, per } = chainOf(definitions, streamedSet(definitions)).at(-1)!
  const file = (options['file'] as string | undefined) ?? config.source.file
  const source = await sourceAt(file)

  await withPorts({ config, console }, ['produce'], async (ports) => {
    const progress = console.progress('produce')
    const done = await produceYears(
      { ...ports, source },
      {
        record,
        per,
        partitions: config.log.partitions,
        years: chosen,
        ...(rate === undefined ? {} : { rate }),
        file,
        signal,
        strict: options['strict'] === true,
        continue: options['continue'] === true,
        report: ({ rows }) => progress(rows),
      },
    )
    const took = `produced ${count(done.rows)} records into inflow`
    console.result(totalsText({ ...done, there: done.alreadyHeld }, { took, rejects: done.rejects, goOn: 'run it again to go on' }), done)
  })
}
