/** Models in definitions: what may be said of one, how a schema carries it and gives it back, and what its fingerprint depends on. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadDefinitions } from '../config/definitions.ts'
import { checkApplicable } from '../feature-defs/applicable.ts'
import { featureFingerprint, versionFingerprint } from '../feature-defs/fingerprint.ts'
import { fieldsRead } from '../feature-defs/inputs.ts'
import { inWords } from '../feature-defs/in-words.ts'
import { date, decimal, featureSet, flag, last, mean, model, number, record, text, type Definition } from '../feature-defs/language.ts'
import { modelRuntime } from '../feature-defs/models/model.ts'
import { sealed } from '../feature-defs/models/sealed.ts'
import { definitionOf, rowSchema } from '../feature-defs/row-schema.ts'
import type { AvroSchema } from '../schemas/avro/schema.ts'
import { checkUnedited } from '../versions/check.ts'

const sale = record('sale', 'day', {
  day: date({ nullable: false }),
  shop: text({ bytes: 8 }),
  amount: number(),
  price: decimal({ digits: 9, scale: 2 }),
  paid: flag(),
})
const options = { inputs: ['ma', 'amount', 'price', 'paid'], output: 'probabilities', column: 1 } as const
const v0 = featureSet({ name: 'sales', of: sale, per: 'shop' }, { ma: mean('amount', { last: 3 }) })
const v1 = v0.add({ risk: model('risk.onnx', options), of_risk: model('of-risk.onnx', { inputs: ['risk'], output: 'y', round: 3 }) })
const sums = { 'risk.onnx': 'a'.repeat(64), 'of-risk.onnx': 'b'.repeat(64) } as Readonly<Record<string, string>>
const seal = ({ definition }: { readonly definition: Definition }, sum = sums) =>
  sealed(definition, async ({ of }) => ({ sha256: sum[of] ?? 'c'.repeat(64), path: `/there/${of}` }))
const printsOf = (definition: Definition) =>
  Object.fromEntries(definition.features.map((feature) => [feature.name, featureFingerprint(definition, feature)]))

describe('a model in a definition', () => {
  it('is carried by the schema of rows, and given back, without where its file lies', async () => {
    const definition = await seal(v1)
    const schema = JSON.parse(JSON.stringify(rowSchema(definition))) as AvroSchema
    const features = definition.features.map(({ name, spec }) => ({ name, spec }))
    expect(definitionOf(schema)).toEqual({ ...definition, features })
    expect(schema.fields.find(({ name }) => name === 'risk')).toMatchObject({
      type: ['null', 'double'],
      tidemark: {
        op: 'model',
        of: 'risk.onnx',
        inputs: ['ma', 'amount', 'price', 'paid'],
        output: 'probabilities',
        column: 1,
        sha256: 'a'.repeat(64),
        runtime: '1.30.0',
      },
    })
  })

  it('has no schema while nobody has said which file it is', () =>
    expect(() => rowSchema(v1.definition)).toThrow('sales@1: nothing says which file the model risk is'))

  it('is refused where a schema says more of it than is known here', async () => {
    const schema = rowSchema(await seal(v1))
    const fields = schema.fields.map((field) => (field.name === 'risk' ? { ...field, tidemark: { ...field.tidemark, threads: 2 } } : field))
    expect(() => definitionOf({ ...schema, fields })).toThrow('feature risk is defined in a way this program does not know')
  })

  it('is refused where a schema says another file than it was released with', async () => {
    const schema = rowSchema(await seal(v1))
    const fields = schema.fields.map((field) =>
      field.name === 'risk' ? { ...field, tidemark: { ...field.tidemark, sha256: 'd'.repeat(64) } } : field,
    )
    expect(() => definitionOf({ ...schema, fields })).toThrow('feature risk does not match its fingerprint')
  })

  it('has a fingerprint that never changes', async () =>
    expect([printsOf(await seal(v1)), versionFingerprint(await seal(v1))]).toEqual([
      { ma: '49e82b682c68067f', risk: 'dce469fe1d46dd1a', of_risk: '015cb58fa8a28fec' },
      '85c8d6c88fa8f637',
    ]))

  it('means the same under another name, and something else with another file, runtime, output or input', async () => {
    const { risk, of_risk: ofRisk } = printsOf(await seal(v1))
    const other = async (set: { readonly definition: Definition }, sum = sums) => {
      const prints = printsOf(await seal(set, sum))
      return [prints['risk'] === risk, prints['of_risk'] === ofRisk]
    }
    const renamed = v1.replace({ risk: model('moved/risk.onnx', options) })
    expect(await other(renamed, { ...sums, 'moved/risk.onnx': sums['risk.onnx']! })).toEqual([true, true])
    expect(await other(v1, { ...sums, 'risk.onnx': 'e'.repeat(64) })).toEqual([false, false])
    expect(await other(v1.replace({ risk: model('risk.onnx', { ...options, runtime: '1.31.0' }) }))).toEqual([false, false])
    expect(await other(v1.replace({ risk: model('risk.onnx', { ...options, column: 0 }) }))).toEqual([false, false])
    expect(await other(v1.replace({ ma: mean('amount', { last: 4 }) }))).toEqual([false, false])
    expect(await other(v1.replace({ of_risk: model('of-risk.onnx', { inputs: ['risk'], output: 'y', round: 2 }) }))).toEqual([true, false])
  })

  it('that was released and is another file now is named with both', async () => {
    const [released, edited] = [await seal(v1), await seal(v1, { ...sums, 'risk.onnx': 'e'.repeat(64) })]
    expect(() => checkUnedited(released, edited)).toThrow(
      "sales@1 is released and was edited: risk was model('risk.onnx', { inputs: ['ma', 'amount', 'price', 'paid'], " +
        "output: 'probabilities', column: 1, sha256: 'aaaaaaaaaaaa…', runtime: '1.30.0' }) and is now",
    )
    expect(inWords(edited.features[1]!.spec)).toContain("sha256: 'eeeeeeeeeeee…'")
  })

  it('is run by the version of the runtime that the package asks for', () => {
    const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>
    expect(peerDependencies).toEqual({ 'onnxruntime-web': modelRuntime })
  })

  it('has the fields that it reads read', () => expect(fieldsRead(v1.definition)).toEqual(['day', 'shop', 'amount', 'price', 'paid']))

  it.each<[object, string]>([
    [{ inputs: ['mo'] }, 'its input mo is neither a feature before it nor a field of sale. It can read ma, amount, price, paid.'],
    [{ inputs: ['of_risk'] }, 'its input of_risk is neither a feature before it nor a field of sale'],
    [{ inputs: ['risk'] }, 'its input risk is neither a feature before it'],
    [{ inputs: ['shop'] }, 'its input shop is a text, and a model takes numbers. It can read ma, amount, price, paid.'],
    [{ inputs: ['day'] }, 'its input day is a date, and a model takes numbers'],
    [{ inputs: [] }, 'its inputs are []. Name features and fields'],
    [{ inputs: 'ma' }, 'its inputs are "ma". Name features and fields'],
    [{ output: '' }, 'its output is "". Name the one of the model'],
    [{ output: undefined }, 'its output is undefined'],
    [{ column: -1 }, 'its column is -1. Use a whole number: columns of an output count from 0.'],
    [{ column: '1' }, 'its column is "1"'],
    [{ round: 99 }, 'round is 99. Use 0 to 15 decimals.'],
    [{ sha256: 'abc' }, 'its sha256 is "abc". Use the 64 digits that sha256sum prints, or leave it out.'],
    [{ runtime: 'latest' }, 'its runtime is "latest". Use a version of onnxruntime-web'],
    [{ last: 3 }, 'model has no option last. Its options are inputs, output, column, round, sha256, runtime.'],
  ])('is refused with %o', (told, says) =>
    expect(() => {
      const { definition } = v0.add({
        risk: model('risk.onnx', { ...options, ...told } as never),
        of_risk: model('of-risk.onnx', { inputs: ['amount'], output: 'y' }),
      })
      checkApplicable([definition])
    }).toThrow(`feature risk: ${says}`),
  )

  it('is refused without a file', () =>
    expect(() => v0.add({ risk: model('', options) })).toThrow('feature risk: its file is "". Name one, e.g. model(\'risk.onnx\', { … }).'))
})

describe('a definitions file with a model', () => {
  const written = (more: string, bytes: string | null = 'the model') => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-'))
    if (bytes !== null) writeFileSync(join(folder, 'risk.onnx'), bytes)
    const file = join(folder, 'features.ts')
    writeFileSync(
      file,
      `import { featureSet, mean, model, rejectedLoan } from '${resolve('definitions.ts')}'
       export const v0 = featureSet({ name: 'loans', of: rejectedLoan }, {
         ma: mean('risk_score', { last: 3 }), risk: model('risk.onnx', { inputs: ['ma'], output: 'y'${more} }) })`,
    )
    return { file, folder }
  }
  const sum = createHash('sha256').update('the model').digest('hex')

  it('has the checksum of the file beside it', async () => {
    const { file, folder } = written('')
    const [definition] = (await loadDefinitions(file)).get('loans')!
    expect(definition!.features[1]).toMatchObject({ spec: { sha256: sum, runtime: '1.30.0' }, path: join(folder, 'risk.onnx') })
  })

  it('loads without its file where it says the checksum, since the store keeps released ones', async () => {
    const [definition] = (await loadDefinitions(written(`, sha256: '${sum}'`, null).file)).get('loans')!
    expect(definition!.features[1]).toMatchObject({ spec: { sha256: sum } })
    expect(definition!.features[1]).not.toHaveProperty('path')
  })

  it('is refused without the file, with where it should be and what to do', async () => {
    const { file, folder } = written('', null)
    await expect(loadDefinitions(file)).rejects.toThrow(
      `loans@0: feature risk: its model risk.onnx is not there: ${join(folder, 'risk.onnx')}. Put the file there; of a released version`,
    )
  })

  it('is refused with a file of another checksum than it says', async () => {
    await expect(loadDefinitions(written(`, sha256: '${'0'.repeat(64)}'`).file)).rejects.toThrow(
      `loans@0: feature risk: its model risk.onnx is another file: its checksum is ${sum}, and the definition says 0000`,
    )
  })
})

it('a model of a value that is a text over time is no input', () =>
  expect(() =>
    v0.add({ where: last('shop', { all: true }), risk: model('risk.onnx', { ...options, inputs: ['where'] as never }) }),
  ).toThrow('its input where is a text'))
