/** The codecs: columns to messages and back, as producer, consumer and sink use them. */
import { engine } from '../feature-defs/engine.ts'
import type { FeatureColumn } from '../feature-defs/feature-columns.ts'
import { fieldsRead, inputsOf } from '../feature-defs/inputs.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { encoder, splicer } from '../schemas/avro/encode.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { Batch } from '../utilities/log.ts'
import { v0 } from './definitions.ts'
import { firstBatches } from './first-batches.ts'
import { paced, runNamedCase, type Paced } from './paced.ts'

const { definition } = v0
const inflow = inflowSchema(rejectedLoan)
const outflow = rowSchema(definition)
const [inflowId, outflowId] = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002']

type Made = { readonly columns: Columns; readonly features: readonly FeatureColumn[]; readonly inflow: Batch; readonly outflow: Batch }

async function make(file: string): Promise<readonly Made[]> {
  const encode = encoder(inflow, inflowId)
  const splice = splicer(outflow, outflowId)
  const { push } = engine(definition)
  return (await firstBatches(file, 200_000)).map((columns) => {
    const message = encode(columns)
    const features = push(inputsOf(definition, columns))
    return {
      columns,
      features,
      inflow: message,
      outflow: splice(message, { from: 0, to: columns.count }, features, 1_800_000_000_000_000_000n, 0),
    }
  })
}

const over =
  (open: () => (made: Made) => number) =>
  async (file: string): Promise<Paced> => {
    const all = await make(file)
    const work = open()
    return paced(() => all.reduce((rows, made) => rows + work(made), 0))
  }

const encodes = () => {
  const encode = encoder(inflow, inflowId)
  return ({ columns }: Made) => encode(columns).ends.length
}

const decodes = (of: 'inflow' | 'outflow', wanted?: readonly string[]) => () => {
  const decode = decoder(of === 'inflow' ? inflow : outflow, wanted)
  return (made: Made) => decode(made[of], 0, made[of].ends.length).columns.count
}

const splices = () => {
  const splice = splicer(outflow, outflowId)
  return ({ inflow, features }: Made) =>
    splice(inflow, { from: 0, to: inflow.ends.length }, features, 1_800_000_000_000_000_000n, 0).ends.length
}

const cases = new Map([
  ['encode: columns → inflow (producer)', over(encodes)],
  ['decode what features need of inflow (consumer)', over(decodes('inflow', ['seq', ...fieldsRead(definition)]))],
  ['decode all of inflow (replay)', over(decodes('inflow'))],
  ['splice: inflow + features → outflow (consumer)', over(splices)],
  ['decode all of outflow (sink)', over(decodes('outflow'))],
])

export const codecCases = [...cases.keys()]

if (import.meta.main) await runNamedCase(cases)
