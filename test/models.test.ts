/** Versions with models, on a store in memory: batch, stream, replay and proof give the same, over records and over facts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compute } from '../batch/files.ts'
import { computedText } from '../commands/consume.ts'
import { checksumOf, modelsOf } from '../config/models.ts'
import { date, featureSet, last, mean, model, number, record, sum, text, count, type Definition } from '../feature-defs/language.ts'
import { makerOf } from '../feature-defs/maker.ts'
import { sealed } from '../feature-defs/models/sealed.ts'
import { keepModels, keptModel } from '../streams/kept-models.ts'
import { ensureTopics } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { consumeInflow } from '../use-cases/consume.ts'
import { memoryModels } from '../utilities/memory/models.ts'
import type { Models } from '../utilities/models.ts'
import { columnOf, type Columns } from '../utilities/values/columns.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { plan } from '../versions/plan.ts'
import { storeInMemory, textSource, type StoreInMemory } from './driver/in-memory.ts'
import type { Command } from './driver/step.ts'
import { messagesByChance, saleByDay } from './fact-messages.ts'
import { rowsStored, writerOf } from './facts-in-inflow.ts'
import { mustBeDone, streamed } from './memory-steps.ts'
import { randomFrom } from './seeded.ts'

const sale = record('sale', 'day', {
  day: date('Day', { nullable: false }),
  shop: text('Shop', { bytes: 8 }),
  amount: number('Amount'),
})
const v0 = featureSet({ name: 'sales', of: sale, per: 'shop' }, { ma: mean('amount', { last: 3 }) })
const v1 = v0.add({ risk: model('risk.onnx', { inputs: ['ma', 'amount'], output: 'y' }) })
const v2 = v1.replace({ risk: model('later.onnx', { inputs: ['ma', 'amount'], output: 'y', round: 2 }) })
const v3 = v2.replace({ ma: mean('amount', { last: 2 }) })
const v4 = v3.add({ of_risk: model('risk.onnx', { inputs: ['risk', 'ma'], output: 'y' }) })
const sums: Readonly<Record<string, string>> = { 'risk.onnx': 'a'.repeat(64), 'later.onnx': 'b'.repeat(64) }
const seal = ({ definition }: { readonly definition: Definition }) => sealed(definition, async ({ of }) => ({ sha256: sums[of]! }))
const chain = await Promise.all([v0, v1, v2, v3, v4].map(seal))
const set = { set: 'sales', per: 'shop', chain, text: '' }

/** NaN where it is negative, or anything is null. */
const risk = (numbers: readonly number[]) => Math.sqrt(numbers[0]! + 2 * numbers[1]!)
const later = (numbers: readonly number[]) => numbers[0]! - numbers[1]! / 3
const models = memoryModels({ [sums['risk.onnx']!]: { inputs: 2, row: risk }, [sums['later.onnx']!]: { inputs: 2, row: later } })

const random = randomFrom(3)
const amounts = Array.from({ length: 700 }, () => (random() < 0.1 ? '' : String(Math.round(random() * 200) / 4 - 4)))
const day = (i: number) => new Date(Date.UTC(2007, 11, 1 + Math.floor(i / 10))).toISOString().slice(0, 10)
const csv = `Day,Shop,Amount\n${amounts.map((amount, i) => `${day(i)},${'abc'[i % 3]},${amount}\n`).join('')}`

const at = (value: unknown) => (value === null ? NaN : (value as number))
const orNull = (value: number) => (Number.isFinite(value) ? value : null)

/** What each row's models must have given, of what stands beside it. */
async function expectScored(store: StoreInMemory, version: number): Promise<number> {
  const rows = (await store.look()).views.get(version)!
  for (const row of rows) {
    const inputs = [at(row['ma']), at(row['amount'])]
    const wanted = version === 1 ? orNull(risk(inputs)) : orNull(Math.round(later(inputs) * 100) / 100)
    if (version === 1) expect([row['_seq'], row['risk']]).toEqual([row['_seq'], wanted])
    else if (wanted === null) expect(row['risk']).toBe(null)
    else expect(Math.abs((row['risk'] as number) - wanted)).toBeLessThan(0.0101)
    if (version === 4) expect(row['of_risk']).toBe(orNull(risk([at(row['risk']), at(row['ma'])])))
  }
  return rows.length
}

const valuesOf = async (store: StoreInMemory, version: number) =>
  (await store.look()).views.get(version)!.map(({ _modified_ts: _, ...row }) => row)

const verified = async (store: StoreInMemory, version: number) =>
  expect(await store.run({ do: 'verify', version })).toMatchObject({ said: { equal: true } })

const begun = () => storeInMemory(set, 2, csv, models)

describe('a version with a model', () => {
  it('has the same rows by batch, by stream, by replay and on the way through all of them, and verify proves them', async () => {
    const [batch, stream, mixed] = [begun(), begun(), begun()]
    for (const one of [batch, stream]) {
      await mustBeDone(one, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'apply', version: 1, mode: 'backfill' })
    }
    await mustBeDone(batch, { do: 'backfill', years: [2007, 2008] })
    await streamed(stream, [2007, 2008])
    await mustBeDone(mixed, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2007] })
    await streamed(mixed, [2008, 2008])
    await mustBeDone(mixed, { do: 'apply', version: 1, mode: 'shadow' }, { do: 'diff', from: 0, to: 1 }, { do: 'promote', version: 1 })
    expect(await expectScored(batch, 1)).toBe(700)
    const wanted = await valuesOf(batch, 1)
    expect(wanted.filter(({ risk }) => risk === null).length).toBeGreaterThan(20)
    expect(await valuesOf(stream, 1)).toEqual(wanted)
    expect(await valuesOf(mixed, 1)).toEqual(wanted)
    for (const one of [batch, stream, mixed]) {
      await verified(one, 1)
      expect(await one.complaints()).toEqual([])
    }
  })

  it.each(['backfill', 'forward-only', 'cold'] as const)(
    'is followed by another model with %s, and that by what it reads',
    async (mode) => {
      const store = begun()
      await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'apply', version: 1, mode: 'backfill' })
      await streamed(store, [2007, 2007])
      const after = async (version: number) => {
        await mustBeDone(store, { do: 'apply', version, mode }, { do: 'consume' }, { do: 'sink' })
        await verified(store, version)
      }
      await after(2)
      await after(3)
      await streamed(store, [2008, 2008])
      await after(4)
      for (const version of [1, 2, 3, 4]) await expectScored(store, version)
      for (const version of [1, 2, 3, 4]) await verified(store, version)
      await mustBeDone(store, { do: 'rollback' })
      await verified(store, 3)
      expect(await store.complaints()).toEqual([])
    },
  )

  it('is planned: a new model, its state none, and nothing replayed where no row of before is written', async () => {
    const store = begun()
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2008] })
    const planned = (mode: 'forward-only' | 'backfill' | 'shadow') => plan(store.open(), { chain, version: 1, mode, partitions: 2 })
    const { features, replayedRecords } = await planned('forward-only')
    expect(features.map(({ feature, change, state }) => [feature, change, state])).toEqual([
      ['ma', 'unchanged', 'inherited'],
      ['risk', 'added', 'none'],
    ])
    expect(replayedRecords).toBe(0)
    expect((await planned('shadow')).features[1]).toMatchObject({ change: 'added', state: 'replayed from history' })
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'backfill' })
    const next = async (version: number) => {
      const { features: some } = await plan(store.open(), { chain, version, mode: 'forward-only', partitions: 2 })
      return some.map(({ feature, change, state }) => [feature, change, state])
    }
    await mustBeDone(store, { do: 'apply', version: 2, mode: 'backfill' })
    // The same file over another meaning of what it reads is another meaning.
    expect(await next(3)).toEqual([
      ['ma', 'redefined', 'replayed from history'],
      ['risk', 'redefined', 'none'],
    ])
  })

  it('says of how many rows its model gave no number, by name', async () => {
    const store = begun()
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'apply', version: 1, mode: 'backfill' })
    await mustBeDone(store, { do: 'produce', years: [2007, 2008] })
    const signal = new AbortController().signal
    const asked = { follow: false, signal, report: () => {}, note: () => {}, nothingYet: async () => '' }
    const done = await consumeInflow(store.open(), asked)
    await mustBeDone(store, { do: 'sink' })
    const nulls = (await valuesOf(store, 1)).filter(({ risk }) => risk === null).length
    expect(done.noNumbers).toEqual({ 'sales@1': { risk: nulls } })
    expect(computedText(done)).toBe(`computed 700 records, risk of sales@1 null in ${nulls} rows: its model gave no number`)
  })

  it('is not planned or applied where its model cannot be had, and nothing is changed', async () => {
    const none = storeInMemory(set, 2, csv)
    await mustBeDone(none, { do: 'apply', version: 0, mode: 'backfill' })
    expect(await none.run({ do: 'apply', version: 1, mode: 'backfill' })).toMatchObject({
      ended: 'refused',
      why: { what: `no model in memory has the checksum ${'a'.repeat(64)}` },
    })
    expect((await none.look()).known).toEqual(new Set([0]))
  })

  it('goes into files with the same values, from the file alone', async () => {
    const store = begun()
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'apply', version: 1, mode: 'backfill' })
    await mustBeDone(store, { do: 'backfill', years: [2007, 2008] })
    const written: number[] = []
    const write = async (rows: Columns) => void written.push(...columnOf(rows, 'risk', 'number').values)
    const rejects = { path: '', keep: async () => 0, append: async () => {} }
    const options = { definition: chain[1]!, years: [2007, 2008] as const, strict: false, signal: new AbortController().signal }
    const done = await compute({ source: textSource(csv), clock: () => 0n, rejects, models, write }, { ...options, report: () => {} })
    expect(written).toEqual((await valuesOf(store, 1)).map((row) => at(row['risk'])))
    expect(done.noNumbers).toEqual({ 'sales@1': { risk: written.filter((value) => value !== value).length } })
  })
})

describe('the rows of a model', () => {
  it('are the same however the records are cut', async () => {
    const columns = (from: number, to: number): Columns => ({
      count: to - from,
      byName: new Map([
        ['_seq', { kind: 'int', values: Float64Array.from({ length: to - from }, (_, i) => from + i + 1) }],
        ['day', { kind: 'date', days: new Int32Array(to - from).fill(14_000) }],
        ['amount', { kind: 'number', values: Float64Array.from(amounts.slice(from, to), (one) => (one === '' ? NaN : Number(one))) }],
      ]),
    })
    const { per: _, ...rest } = chain[4]!
    const definition = { ...rest, per: null }
    const inPieces = async (size: number) => {
      const maker = makerOf(definition, { models })
      const found: number[][] = []
      for (let from = 0; from < 700; from += size) {
        const { values } = await maker.push(columns(from, Math.min(700, from + size)))
        const some = values.map((column) => [...(column as { readonly values: Float64Array }).values])
        for (let row = 0; row < some[0]!.length; row++) found.push(some.map((one) => one[row]!))
      }
      return found
    }
    const whole = await inPieces(700)
    for (const size of [1, 7, 256, 1000]) expect(await inPieces(size)).toEqual(whole)
  })
})

const f0 = featureSet(
  { name: 'accounts', of: saleByDay, per: 'account' },
  { owing: sum('amount', { all: true, when: 'unpaid' }), recent: count('item', { days: 9 }), newest: last('amount', { days: 20 }) },
)
const f1 = f0.add({ risk: model('risk.onnx', { inputs: ['owing', 'recent'], output: 'y' }) })
const f2 = f1.replace({ risk: model('risk.onnx', { inputs: ['newest', 'amount'], output: 'y' }) })
/** Nothing but models of fields. */
const f3 = featureSet(
  { name: 'bare', of: saleByDay, per: 'account' },
  { risk: model('risk.onnx', { inputs: ['amount', 'unpaid'], output: 'y' }) },
)

describe('a model over facts', () => {
  it('is a function of its row, of changes and of ticks alike, through stream and replay', async () => {
    for (const partitions of [1, 3]) {
      const sealedChain = await Promise.all([f0, f1, f2].map(seal))
      const { store, more, run } = await storeOfFacts(sealedChain, partitions)
      await run({ do: 'apply', version: 0, mode: 'backfill' })
      await run({ do: 'apply', version: 1, mode: 'backfill' })
      await more()
      await run({ do: 'apply', version: 2, mode: 'shadow' })
      await more()
      await run({ do: 'promote', version: 2 })
      for (const version of [1, 2]) {
        const { inputs } = sealedChain[version]!.features.at(-1)!.spec as unknown as { readonly inputs: readonly string[] }
        const rows = await rowsStored(store.open(), sealedChain[version]!)
        expect(rows.length).toBeGreaterThan(100)
        expect(rows.some(({ change }) => change === 'tick')).toBe(true)
        for (const row of rows) {
          const named = new Map(sealedChain[version]!.features.map(({ name }, i) => [name, row.features[i]]))
          const numbers = inputs.map((name) => numberOf(named.has(name) ? named.get(name) : row.fields[name], name))
          expect(row.features.at(-1) ?? null).toEqual(orNull(risk(numbers)))
        }
        expect(await run({ do: 'verify', version })).toMatchObject({ equal: true })
      }
    }
  })

  it('may be all that there is', async () => {
    const { store, more, run } = await storeOfFacts([await seal(f3)], 1)
    await run({ do: 'apply', version: 0, mode: 'backfill' })
    await more()
    expect((await rowsStored(store.open(), await seal(f3))).length).toBeGreaterThan(50)
    expect(await run({ do: 'verify', version: 0 })).toMatchObject({ equal: true })
  })
})

/** A decimal is held in units of its last digit, or printed; a flag is 1 or 0. */
function numberOf(value: unknown, name: string): number {
  if (value === null || value === undefined) return NaN
  return typeof value !== 'string' && ['amount', 'owing', 'newest'].includes(name) ? Number(value) / 100 : Number(value)
}

async function storeOfFacts(all: readonly Definition[], partitions: number) {
  const store = storeInMemory({ set: all[0]!.set, per: 'account', chain: all, text: '' }, partitions, '', models)
  const fact = all[0]!.record as FactSchema
  const messages = messagesByChance(5, { fact, messages: 160, movesApart: partitions > 1 })
  const half = messages.findIndex(({ groupEnd }, i) => groupEnd && i > 70) + 1
  await ensureTopics(store.open(), streamOf(fact), partitions)
  const write = writerOf({ fact, per: 'account', partitions })
  const pieces = [messages.slice(0, half), messages.slice(half)]
  const run = async (command: Command) => {
    const outcome = await store.run(command)
    if (outcome.ended !== 'done') throw new Error(outcome.ended === 'refused' ? outcome.why.message : 'cut')
    return outcome.said
  }
  return {
    store,
    run,
    async more() {
      await write(store.open(), pieces.shift()!)
      await run({ do: 'consume' })
      await run({ do: 'sink' })
    },
  }
}

describe('the file of a model', () => {
  it('is kept in pieces, once, and read back as it was', async () => {
    const store = storeInMemory(set, 1, csv)
    const bytes = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 2_654_435_761) >>> 24))
    let reads = 0
    const reading: Models = { ...models, read: async () => (reads++, bytes) }
    const ports = { ...store.open(), models: reading }
    expect(await keptModel(ports.checkpoints, sums['risk.onnx']!)).toBe(undefined)
    await keepModels(ports, chain[1]!)
    await keepModels({ ...store.open(), models: reading }, chain[1]!)
    expect(reads).toBe(1)
    expect(Buffer.compare((await keptModel(store.open().checkpoints, sums['risk.onnx']!))!, bytes)).toBe(0)
  })

  it('is taken from the store first, opened once, and refused where it is another one or damaged', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-'))
    const path = join(folder, 'risk.onnx')
    const bytes = Buffer.from('the model')
    writeFileSync(path, bytes)
    const file = { name: 'risk.onnx', sha256: checksumOf(bytes), runtime: '1.30.0' }
    let opens = 0
    const open = async () => {
      opens++
      return models.open({ ...file, sha256: sums['risk.onnx']! })
    }
    const ports = storeInMemory(set, 1, csv).open()
    const { checkpoints } = ports
    const own = modelsOf({ open, checkpoints })
    await expect(own.open(file)).rejects.toThrow(
      'the model risk.onnx is not there, and the store keeps none of its checksum. Put the file of',
    )
    await expect(own.open({ ...file, path: join(folder, 'other') })).rejects.toThrow('the model risk.onnx cannot be read: ENOENT')
    writeFileSync(path, 'another model')
    await expect(own.open({ ...file, path })).rejects.toThrow(
      `the model risk.onnx is another file: its checksum is ${checksumOf(Buffer.from('another model'))}`,
    )
    expect(opens).toBe(0)
    writeFileSync(path, bytes)
    expect(await own.open({ ...file, path })).toBe(await own.open(file))
    expect(opens).toBe(1)

    const definition = await sealed(v1.definition, async () => ({ sha256: file.sha256, path }))
    await keepModels({ ...ports, models: own }, definition)
    rmSync(path)
    expect(Buffer.from(await modelsOf({ open, checkpoints }).read(file)).toString()).toBe('the model')
    const writer = await ports.log.writer('somebody')
    await writer.commit({ save: [{ name: `model/${file.sha256}`, key: '000000', value: Buffer.from('the m0del') }] })
    await writer.close()
    await expect(modelsOf({ open, checkpoints }).read(file)).rejects.toThrow('the model risk.onnx that the store keeps is damaged')
  })
})
