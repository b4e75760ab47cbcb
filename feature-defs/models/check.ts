/** What a definition may say of a model. Whether its file is one that fits shows when it is opened. */
import type { Json } from '../../schemas/avro/schema.ts'
import type { RecordSchema } from '../../schemas/record.ts'
import type { OperatorSpec } from '../define-operator.ts'
import { round } from '../options.ts'

/** What a model can be given: true and false are 1 and 0. */
const numeric: readonly string[] = ['number', 'integer', 'decimal', 'flag']

type Named = { readonly name: string; readonly kind: string }

/** `before` are the features that stand before it, with what each is. */
export function checkModel(
  spec: OperatorSpec,
  { name: record, fields }: RecordSchema,
  before: readonly Named[],
  refuse: (what: string, todo: string) => never,
): void {
  const { of, inputs, output, column, sha256, runtime } = spec
  if (typeof of !== 'string' || of === '') refuse(`its file is ${JSON.stringify(of)}`, "Name one, e.g. model('risk.onnx', { … }).")
  if (!isNames(inputs) || inputs.length === 0)
    return refuse(`its inputs are ${JSON.stringify(inputs)}`, "Name features and fields, e.g. { inputs: ['ma50', 'amount'] }.")
  for (const input of inputs) {
    const kind = before.find(({ name }) => name === input)?.kind ?? (Object.hasOwn(fields, input) ? fields[input]!.kind : undefined)
    const could = [...before, ...Object.entries(fields).map(([name, { kind }]) => ({ name, kind }))].filter((one) =>
      numeric.includes(one.kind),
    )
    const known = `It can read ${could.map(({ name }) => name).join(', ')}.`
    if (kind === undefined) refuse(`its input ${input} is neither a feature before it nor a field of ${record}`, known)
    else if (!numeric.includes(kind)) refuse(`its input ${input} is a ${kind}, and a model takes numbers`, known)
  }
  if (typeof output !== 'string' || output === '')
    refuse(`its output is ${JSON.stringify(output)}`, "Name the one of the model, e.g. { output: 'probabilities', column: 1 }.")
  if (column !== undefined && !(typeof column === 'number' && Number.isSafeInteger(column) && column >= 0))
    refuse(`its column is ${JSON.stringify(column)}`, 'Use a whole number: columns of an output count from 0.')
  if (spec['round'] !== undefined && !round.accepts(spec['round'])) refuse(`round is ${JSON.stringify(spec['round'])}`, round.todo)
  if (sha256 !== undefined && !matches(sha256, /^[0-9a-f]{64}$/))
    refuse(`its sha256 is ${JSON.stringify(sha256)}`, 'Use the 64 digits that sha256sum prints, or leave it out.')
  if (runtime !== undefined && !matches(runtime, /^\d+\.\d+\.\d+$/))
    refuse(`its runtime is ${JSON.stringify(runtime)}`, "Use a version of onnxruntime-web, e.g. '1.30.0', or leave it out.")
}

const matches = (value: Json, pattern: RegExp): boolean => typeof value === 'string' && pattern.test(value)

const isNames = (value: Json | undefined): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
