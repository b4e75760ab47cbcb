/** How a model is fed by what its definition names, and whether each row's number is its own: what does not fit is refused by name. */
import type { Feed, Model, Numbers, Port } from '../../utilities/models.ts'
import { Problem } from '../../utilities/values/problem.ts'
import type { ModelSpec } from './model.ts'

/** Rows that are computed at once, the last ones with others behind them: the same row goes the same way through the same code. */
export const blockRows = 256

/** Buffers of a block, and where each of the definition's inputs stands in them. */
export type Feeding = {
  readonly feeds: readonly Feed[]
  readonly places: readonly { readonly values: Numbers; readonly first: number; readonly step: number }[]
}

type Refuse = (what: string, todo: string) => never

export function feedingOf({ inputs, of }: ModelSpec, model: Model, refuse: Refuse): Feeding {
  const one = model.inputs[0]
  if (model.inputs.length === 1 && one) {
    const width = widthOf(one, refuse)
    if (width !== null && width !== inputs.length)
      refuse(`${of} takes ${width} numbers a row, and the definition names ${inputs.length}: ${inputs.join(', ')}`, asTrained)
    const feed = feedOf(one, inputs.length)
    return { feeds: [feed], places: inputs.map((_, first) => ({ values: feed.values, first, step: inputs.length })) }
  }
  const names = model.inputs.map(({ name }) => name)
  if (names.length !== inputs.length || names.some((name) => !inputs.includes(name)))
    refuse(`the inputs of ${of} are ${names.join(', ')}, and the definition names ${inputs.join(', ')}`, asTrained)
  const feeds = new Map(
    model.inputs.map((port) => {
      const width = widthOf(port, refuse)
      if (width !== null && width !== 1)
        refuse(`the input ${port.name} of ${of} takes ${width} numbers a row`, 'Make one input of all, or one number of each.')
      return [port.name, feedOf(port, 1)]
    }),
  )
  return { feeds: [...feeds.values()], places: inputs.map((name) => ({ values: feeds.get(name)!.values, first: 0, step: 1 })) }
}

const asTrained = 'Name what the model was trained on: one input takes them in that order, several are told by their names.'

/** null where it may be any. */
function widthOf({ name, tensor }: Port, refuse: Refuse): number | null {
  if (!tensor) return refuse(`its input ${name} is no tensor`, 'Make the model with inputs of float or double.')
  const { type, lengths } = tensor
  if (type !== 'float32' && type !== 'float64')
    refuse(`its input ${name} takes ${type}, which has no null`, 'Make the model with inputs of float or double.')
  const [rows = null, width = 1, ...more] = lengths
  if (rows !== null)
    refuse(
      `its input ${name} takes ${rows === 1 ? 'one row' : `${rows} rows`} at once`,
      'Leave the number of rows open, e.g. FloatTensorType([None, 2]).',
    )
  if (more.length > 0) refuse(`its input ${name} takes ${lengths.length} dimensions`, 'Use one of rows and columns.')
  return width
}

function feedOf({ name, tensor }: Port, width: number): Feed {
  const { type, lengths } = tensor!
  const values = type === 'float64' ? new Float64Array(blockRows * width) : new Float32Array(blockRows * width)
  return { port: name, values, lengths: lengths.length === 1 ? [blockRows] : [blockRows, width] }
}

const numbers = /^(float32|float64|u?int(8|16|32|64)|bool)$/

/** Which number of a block's output a row's is. */
export type Picking = { readonly first: number; readonly step: number }

export async function pickingOf({ of, output, column }: ModelSpec, model: Model, feeding: Feeding, refuse: Refuse): Promise<Picking> {
  const port = model.outputs.find(({ name }) => name === output)
  if (!port) return refuse(`${of} has no output ${output}`, `Its outputs are ${model.outputs.map(({ name }) => name).join(', ')}.`)
  if (!port.tensor) return refuse(`the output ${output} of ${of} is no tensor`, 'Convert the model with zipmap: False.')
  const { type } = port.tensor
  if (!numbers.test(type)) refuse(`the output ${output} of ${of} is ${type}, and no number`, 'Name an output of numbers.')
  fill(feeding, () => 0)
  const { lengths } = await model.run(feeding.feeds, output)
  const [rows = 0, width = 1, ...more] = lengths
  const shape = `the output ${output} of ${of} is ${shapeText(lengths)}`
  if (rows !== blockRows || more.length > 0)
    refuse(`${shape}, and not one number a row`, 'Name an output that has one row for each of its input.')
  if (column === undefined && width !== 1)
    refuse(
      `${shape}: several numbers a row`,
      `Say which: column: 0 to ${width - 1}; of a classifier's probabilities, 1 is the second class.`,
    )
  if (column !== undefined && column >= width) refuse(`${shape}, and column is ${column}`, `Use 0 to ${width - 1}.`)
  const picking = { first: column ?? 0, step: width }
  if (!(await rowsAreAlone(model, output, feeding, picking)))
    refuse(
      `what ${of} gives for a row depends on the rows beside it`,
      'A feature is of its own row: make a model that computes each row alone.',
    )
  return picking
}

/** Whether rows have the same numbers at other places, with others beside them: every second one, backwards. */
async function rowsAreAlone(model: Model, output: string, feeding: Feeding, { first, step }: Picking): Promise<boolean> {
  const numbersOf = async (value: ValueAt) => {
    fill(feeding, value)
    const { values } = await model.run(feeding.feeds, output)
    return Array.from({ length: blockRows }, (_, row) => Number(values[first + row * step]))
  }
  const alike = async (value: ValueAt) => {
    const moved = (row: number) => (row % 2 === 0 ? row + blockRows : blockRows - 1 - row)
    const [there, back] = [await numbersOf(value), await numbersOf((row, input) => value(moved(row), input))]
    return there.every((number, row) => row % 2 === 1 || Object.is(number, back[blockRows - 1 - row]))
  }
  // One that takes some numbers only, such as a place in a list, is tried with those that are places in any.
  return alike(ofManySizes).catch((error: unknown) => (error instanceof Problem ? alike(zeroOrOne) : Promise.reject(error)))
}

type ValueAt = (row: number, input: number) => number

/** By chance, and the same every time. */
function ofManySizes(row: number, input: number): number {
  const mixed = Math.imul(row * 31 + input + 1, 0x9e37_79b1)
  return ((mixed >>> 0) / 0x1_0000_0000 - 0.5) * 10 ** (row % 5)
}

const zeroOrOne: ValueAt = (row, input) => (row >> (input % 5)) & 1

function fill({ places }: Feeding, value: ValueAt): void {
  for (const [input, { values, first, step }] of places.entries())
    for (let row = 0; row < blockRows; row++) values[first + row * step] = value(row, input)
}

const shapeText = (lengths: readonly number[]): string =>
  lengths.length === 0 ? 'one number' : lengths.map((length, i) => (i === 0 && length === blockRows ? 'rows' : length)).join(' × ')
