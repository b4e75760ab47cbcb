/** Models that are functions: of each row's numbers, in the order of the inputs. */
import type { Model, Models } from '../models.ts'
import { Problem } from '../values/problem.ts'

type Row = (numbers: readonly number[]) => number

/** One input `x` and one output `y`, of doubles. */
const modelOf = (inputs: number, row: Row): Model => ({
  inputs: [{ name: 'x', tensor: { type: 'float64', lengths: [null, inputs] } }],
  outputs: [{ name: 'y', tensor: { type: 'float64', lengths: [null, 1] } }],
  async run([feed]) {
    const { values, lengths } = feed!
    const rows = Float64Array.from({ length: lengths[0]! }, (_, at) => row([...values.subarray(at * inputs, (at + 1) * inputs)]))
    return { values: rows, lengths: [rows.length, 1] }
  },
})

/** By their checksums, which nobody computes here. */
export function memoryModels(known: { readonly [sha256: string]: { readonly inputs: number; readonly row: Row } } = {}): Models {
  const find = (sha256: string) => {
    const found = known[sha256]
    if (!found) throw new Problem(`no model in memory has the checksum ${sha256}`, 'Give it one.')
    return found
  }
  return {
    async open({ sha256 }) {
      const { inputs, row } = find(sha256)
      return modelOf(inputs, row)
    },
    read: async ({ sha256 }) => Buffer.from(find(sha256).row.toString()),
  }
}
