/** Models by the real runtime: the same row gives the same bits whatever comes with it, and what does not fit is refused by name. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { modelsOf } from '../../config/models.ts'
import { featureSet, last, model, number, record, date, type Definition } from '../../feature-defs/language.ts'
import { scoresOf, type Scores } from '../../feature-defs/models/scores.ts'
import { sealed } from '../../feature-defs/models/sealed.ts'
import type { Models } from '../../utilities/models.ts'
import { openOnnx } from '../../utilities/onnx/runtime.ts'
import { randomFrom } from '../seeded.ts'
import { unlessMissing } from '../unless-missing.ts'
import { installPython, installRuntime, missingForPython, missingForRuntime } from './installed.ts'

const folder = join(import.meta.dirname, '../fixtures/models')
const bytesOf = (name: string) => readFileSync(join(folder, name))
const sumOf = (name: string) => createHash('sha256').update(bytesOf(name)).digest('hex')

const loan = record('loan', 'day', { day: date({ nullable: false }), level: number(), amount: number(), more: number() })
type Options = Parameters<typeof model<'level' | 'amount' | 'more'>>[1]

let models: Models
let home: string

const definitionOf = (name: string, options: Partial<Options> = {}): Promise<Definition> => {
  const { definition } = featureSet(
    { name: 'loans', of: loan },
    { n: last('level', { all: true }), risk: model(name, { inputs: ['level', 'amount'], output: 'probabilities', column: 1, ...options }) },
  )
  return sealed(definition, async () => ({ sha256: sumOf(name), path: join(folder, name) }))
}

async function scoresBy(name: string, options: Partial<Options> = {}): Promise<Scores> {
  const definition = await definitionOf(name, options)
  return scoresOf(models, definition, definition.features.at(-1)!)
}

const refusal = (name: string, options: Partial<Options> = {}): Promise<string> =>
  scoresBy(name, options).then(
    () => 'it fits',
    (error: Error) => error.message,
  )

/** Two columns by chance, some null, some at the edges of what a float holds. */
function columns(rows: number, seed = 17): readonly [Float64Array, Float64Array] {
  const random = randomFrom(seed)
  const odd = [NaN, 0, -0, 1e-45, 3.4e38, 1e300, -1e300, 0.1]
  const one = (middle: number, width: number) => {
    const value = random()
    return value < 0.02 ? odd[Math.floor(random() * odd.length)]! : middle + (value - 0.5) * width
  }
  return [Float64Array.from({ length: rows }, () => one(600, 300)), Float64Array.from({ length: rows }, () => one(10_000, 20_000))]
}

async function inPieces(scores: Scores, all: readonly Float64Array[], cuts: readonly number[]): Promise<number[]> {
  const found: number[] = []
  for (const [i, cut] of cuts.entries()) {
    const from = cuts[i - 1] ?? 0
    found.push(
      ...(await scores(
        all.map((column) => column.subarray(from, cut)),
        cut - from,
      )),
    )
  }
  return found
}

const every = (size: number, rows: number) => Array.from({ length: Math.ceil(rows / size) }, (_, i) => Math.min(rows, (i + 1) * size))

describe('the models beside the tests', () => {
  it('are the files that the tests were written for', () => {
    const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n')
    const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'))
    expect(files.sort().map((name) => `${sumOf(name)}  ${name}`)).toEqual(sums)
  })
})

unlessMissing(missingForRuntime(), () => {
  beforeAll(async () => {
    home = await installRuntime()
    models = modelsOf({ checkpoints: undefined, open: (...file) => openOnnx(...file, [join(home, 'here')]) })
  }, 600_000)

  describe('a model', () => {
    const fitting: readonly [name: string, options: Partial<Options>][] = [
      ['boosted.onnx', {}],
      ['logistic.onnx', {}],
      ['named.onnx', {}],
      ['boosted.onnx', { output: 'label', column: undefined } as never],
      ['linear.onnx', { output: 'variable', column: undefined } as never],
      ['boosted.onnx', { round: 3 }],
    ]
    it.each(fitting)('%s %o: blocks of 1, 7, 256, 1 000 and all records give the same bits', async (name, options) => {
      const scores = await scoresBy(name, options)
      const all = columns(2100)
      const whole = await inPieces(scores, all, [2100])
      expect(new Set(whole).size).toBeGreaterThan(1)
      for (const size of [7, 256, 1000]) expect(await inPieces(scores, all, every(size, 2100))).toEqual(whole)
      const few = all.map((column) => column.subarray(0, 300))
      expect(await inPieces(scores, few, every(1, 300))).toEqual(whole.slice(0, 300))
    })

    it('gives a row the same bits wherever it stands and whatever stands beside it', async () => {
      const scores = await scoresBy('logistic.onnx')
      const all = columns(600)
      const whole = await inPieces(scores, all, [600])
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(599), { minLength: 1, maxLength: 300 }), async (rows) => {
          const picked = all.map((column) => Float64Array.from(rows, (row) => column[row]!))
          expect([...(await scores(picked, rows.length))]).toEqual(rows.map((row) => whole[row]))
        }),
        { numRuns: 30 },
      )
    })

    it('that takes several inputs is given each by its name, in whatever order the definition has them', async () => {
      const [level, amount] = columns(300)
      const there = await inPieces(await scoresBy('named.onnx'), [level, amount], [300])
      const back = await inPieces(await scoresBy('named.onnx', { inputs: ['amount', 'level'] }), [amount, level], [300])
      expect(back).toEqual(there)
    })

    it('has null where it gives no number, for that row alone', async () => {
      const scores = await scoresBy('root.onnx', { inputs: ['level'], output: 'y', column: undefined } as never)
      expect([...(await scores([Float64Array.of(4, -1, NaN, 1e300, 9)], 5))]).toEqual([2, NaN, NaN, NaN, 3])
    })
  })

  describe('a model that does not fit', () => {
    const three: Partial<Options> = { inputs: ['level', 'amount', 'more'] }
    it.each<[name: string, options: Partial<Options>, says: string]>([
      ['boosted.onnx', three, 'boosted.onnx takes 2 numbers a row, and the definition names 3: level, amount, more'],
      ['named.onnx', three, 'the inputs of named.onnx are amount, level, and the definition names level, amount, more'],
      ['named.onnx', { inputs: ['level', 'more'] }, 'the inputs of named.onnx are amount, level, and the definition names level, more'],
      ['one-row.onnx', {}, 'its input x takes one row at once. Leave the number of rows open'],
      ['whole.onnx', {}, 'its input x takes int64, which has no null. Make the model with inputs of float or double.'],
      ['boosted.onnx', { output: 'score' }, 'boosted.onnx has no output score. Its outputs are label, probabilities.'],
      ['boosted.onnx', { column: 2 }, 'the output probabilities of boosted.onnx is rows × 2, and column is 2. Use 0 to 1.'],
      ['boosted.onnx', { column: undefined } as never, 'is rows × 2: several numbers a row. Say which: column: 0 to 1;'],
      ['zipmap.onnx', { output: 'output_probability' }, 'of zipmap.onnx is no tensor. Convert the model with zipmap: False.'],
      ['texts.onnx', { output: 'label', column: undefined } as never, 'the output label of texts.onnx is string, and no number'],
      ['share.onnx', { output: 'y' }, 'what share.onnx gives for a row depends on the rows beside it'],
      ['mean.onnx', { output: 'y', column: undefined } as never, 'is one number, and not one number a row'],
      ['make.py', {}, 'the model make.py does not load: '],
    ])('%s %o is refused by name', async (name, options, says) => {
      expect(await refusal(name, options)).toContain(says)
    })

    it('is refused where another version of the runtime is installed, with what to do', async () => {
      const definition = await definitionOf('boosted.onnx', { runtime: '1.29.0' })
      await expect(scoresOf(models, definition, definition.features.at(-1)!)).rejects.toThrow(
        'the model boosted.onnx is run by onnxruntime-web 1.29.0, and 1.30.0 is installed. ' +
          'Another one may compute other bits. Run: npm install onnxruntime-web@1.29.0',
      )
    })
  })

  unlessMissing(missingForPython(), () => {
    it('gives what onnxruntime in Python gives, to the last bit or the one beside it', { timeout: 600_000 }, async () => {
      const python = await installPython()
      const all = columns(3000, 23)
      for (const [name, output, column] of [
        ['boosted.onnx', 'probabilities', 1],
        ['logistic.onnx', 'probabilities', 1],
        ['linear.onnx', 'variable', 0],
      ] as const) {
        const scores = await scoresBy(name, { output, column })
        const ours = [...(await scores(all, 3000))]
        const theirs = JSON.parse(
          execFileSync(python, [join(import.meta.dirname, 'native.py'), join(folder, name), output, String(column)], {
            input: JSON.stringify(all.map((values) => [...values].map((value) => (value === value ? value : null)))),
            encoding: 'utf8',
            maxBuffer: 1e8,
          }),
        ) as (number | null)[]
        const apart = ours.filter((value, row) => !isBeside(value, theirs[row] ?? NaN, name === 'linear.onnx' ? 53 : 24))
        expect([name, apart]).toEqual([name, []])
        // Trees only compare, and add in the same order.
        if (name === 'boosted.onnx') expect(ours).toEqual(theirs.map((value) => value ?? NaN))
      }
    })
  })
})

/** Apart by no more than the last bit of a number as large, or of 1: a probability is what another one leaves of that. */
function isBeside(one: number, other: number, bits: number): boolean {
  return Object.is(one, other) || Math.abs(one - other) <= Math.max(1, Math.abs(other)) * 2 ** (1 - bits)
}
