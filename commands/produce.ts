/** `produce`: years of a file into the inflow of their record. */
import { partitionsFor } from '../config/config.ts'
import { definitionsOf } from '../config/definitions.ts'
import { sourceAt } from '../config/files.ts'
import { streamOf } from '../streams/stream.ts'
import { produceYears } from '../use-cases/produce.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { streamedOver } from './sets.ts'
import { chosenYears, fileFor } from './source-file.ts'
import { withPorts } from './stage.ts'
import { totalsText } from './totals.ts'
import { wholeNumber } from './words.ts'

export const run: CommandBody = async ({ options, config, console, signal }) => {
  const chosen = chosenYears(options)
  const rate = wholeNumber(options, 'rate', { least: 1 })
  const definitions = await definitionsOf(config)
  const { record, per } = streamedOver(definitions, options)
  const { suffix, inflow } = streamOf(record)
  const { file, form } = fileFor(record, definitions, options, config)
  const source = await sourceAt(file, form)

  await withPorts({ config, console }, [`produce${suffix}`], async (ports) => {
    const progress = console.progress(`produce${suffix}`)
    const done = await produceYears(
      { ...ports, source },
      {
        record,
        per,
        partitions: partitionsFor(config, record),
        years: chosen,
        ...(rate === undefined ? {} : { rate }),
        file,
        signal,
        strict: options['strict'] === true,
        continue: options['continue'] === true,
        report: ({ rows }) => progress(rows),
      },
    )
    const took = `produced ${count(done.rows)} records into ${inflow}`
    console.result(totalsText({ ...done, there: done.alreadyHeld }, { took, rejects: done.rejects, goOn: 'run it again to go on' }), done)
  })
}
