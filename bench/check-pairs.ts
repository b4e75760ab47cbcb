/** The fast paths of the engine and the codecs, each beside its plain twin, over the same records. */
import { deepStrictEqual } from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { engine } from '../feature-defs/engine.ts'
import { featureSet, type FeatureSet } from '../feature-defs/feature-set.ts'
import type { FeatureColumn } from '../feature-defs/feature-columns.ts'
import { fieldsRead, inputsOf, type Inputs } from '../feature-defs/inputs.ts'
import { mean, rejectedLoan } from '../definitions.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { readCsv } from '../schemas/csv/read.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { encoder, splicer } from '../schemas/avro/encode.ts'
import { frameHeader } from '../schemas/wire.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { columnOf, type Column, type Columns, type NumberColumn } from '../utilities/values/columns.ts'
import type { Pair } from './check-ratios.ts'
import { three } from './engine.ts'
import { foreignPairs } from './foreign-pairs.ts'
import {
  avscType,
  framedPlainly,
  loanOf,
  messagesOf,
  readPlainly,
  splitCsv,
  summedAnew,
  summedAnewByDays,
  summedAnewPerKey,
  type PlainLoan,
} from './plain-twins.ts'

const batchRows = 5_000
const days = 30
const perKey = 50
const keyless = { name: 'bench', of: rejectedLoan }

const sets = {
  three: featureSet(keyless, three),
  days: featureSet(keyless, { one: mean('risk_score', { days, round: 3 }) }),
  keyed: featureSet({ ...keyless, per: 'state' }, { one: mean('risk_score', { last: perKey, round: 3 }) }),
}

/** All the pairs, over the records of this file. */
export async function pairsOver(file: string): Promise<readonly Pair[]> {
  const csv = await unpacked(file)
  const columns = await columnsOf(csv)
  const loans = splitCsv(csv.toString())
    .slice(1)
    .map((cells, i) => loanOf(cells, i + 1))
  return [...enginePairs(columns), csvPair(csv, columns, loans), ...codecPairs(columns, loans), ...(await foreignPairs())]
}

async function unpacked(file: string): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of createReadStream(file).pipe(createGunzip())) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** As a stage reads it, in chunks of a stream. */
async function columnsOf(csv: Buffer): Promise<readonly Columns[]> {
  async function* chunks() {
    for (let from = 0; from < csv.length; from += 1 << 18) yield csv.subarray(from, from + (1 << 18))
  }
  const all: Columns[] = []
  for await (const batch of readCsv(rejectedLoan, chunks(), { place: "the benchmark's file", rowsPerBatch: batchRows }))
    all.push(batch.columns)
  return all
}

const numbersIn = (features: readonly FeatureColumn[]) => features as readonly NumberColumn[]

function enginePairs(batches: readonly Columns[]): Pair[] {
  const pushed = (set: FeatureSet, inputs: readonly Inputs[]) => () => {
    const { push } = engine(set.definition)
    return inputs.map((one) => numbersIn(push(one)).map(({ values }) => values))
  }
  const inputsFor = ({ definition }: FeatureSet) => batches.map((columns) => inputsOf(definition, columns))
  const scoresOf = (inputs: readonly Inputs[]) => inputs.map((one) => columnOf(one, 'risk_score', 'number').values)
  const scores = joined(scoresOf(inputsFor(sets.three)))

  const [plain, byDay, keyed] = [inputsFor(sets.three), inputsFor(sets.days), inputsFor(sets.keyed)]
  const allDays = Int32Array.from(byDay.flatMap((inputs) => [...inputs.days]))
  const allKeys = keyed.flatMap(({ keys }) => keys!)
  const threeAnew = () => {
    const push = summedAnew()
    return scoresOf(plain).map((input) => push(input))
  }
  const daysAnew = () => [[summedAnewByDays(scores, allDays, days)]]
  const keysAnew = () => [[summedAnewPerKey(scores, allKeys, perKey)]]
  return [
    { name: 'engine: MA50 + MA100 + EMA50 | each window summed anew', fast: pushed(sets.three, plain), twin: threeAnew, atLeast: 3.5 },
    { name: `engine: mean of ${days} days | looking back and summing anew`, fast: pushed(sets.days, byDay), twin: daysAnew, atLeast: 8 },
    { name: `engine: MA${perKey} per state | an array per key, summed anew`, fast: pushed(sets.keyed, keyed), twin: keysAnew, atLeast: 2 },
  ].map((pair) => ({ ...pair, agree: () => sameValues(pair.fast(), pair.twin()) }))
}

function csvPair(csv: Buffer, columns: readonly Columns[], loans: readonly PlainLoan[]): Pair {
  return {
    name: 'CSV: bytes → columns | cell by cell → objects',
    fast: () => columnsOf(csv),
    twin: () =>
      splitCsv(csv.toString())
        .slice(1)
        .map((cells, i) => loanOf(cells, i + 1)),
    agree: () => deepStrictEqual(columns.flatMap(objectsOf), loans),
    atLeast: 1.25,
  }
}

function codecPairs(columns: readonly Columns[], loans: readonly PlainLoan[]): Pair[] {
  const { definition } = sets.three
  const [inflow, outflow] = [inflowSchema(rejectedLoan), rowSchema(definition)]
  const [inflowId, outflowId] = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002']
  const [inflowType, outflowType] = [avscType(inflow), avscType(outflow)]
  const [inflowHeader, outflowHeader] = [frameHeader(inflowId), frameHeader(outflowId)]
  const stamp = 1_800_000_000_000_000
  const modified = { _modified_ts: stamp, _version: 0, _v0: null }

  const encode = encoder(inflow, inflowId)
  const splice = splicer(outflow, outflowId)
  const batches = columns.map((batch) => encode(batch))
  const { push } = engine(definition)
  const features = columns.map((batch) => push(inputsOf(definition, batch)))
  const valuesAt = (batch: number, row: number) =>
    Object.fromEntries(definition.features.map(({ name }, i) => [name, nullable(numbersIn(features[batch]!)[i]!.values[row]!)]))
  const spliced = () => batches.map((batch, i) => splice(batch, { from: 0, to: batch.ends.length }, features[i]!, BigInt(stamp), 0))
  const outflows = spliced()
  const messages = batches.flatMap(messagesOf)
  const outflowMessages = outflows.flatMap(messagesOf)
  const values = columns.flatMap(({ count }, batch) => Array.from({ length: count }, (_, row) => valuesAt(batch, row)))

  const decodes = (decode: ReturnType<typeof decoder>, from: readonly (typeof batches)[number][]) => () =>
    from.map((batch) => decode(batch, 0, batch.ends.length).columns)
  const [needed, whole] = [decoder(inflow, ['seq', ...fieldsRead(definition)]), decoder(outflow)]
  const anew = () =>
    readPlainly(inflowType, messages).map((loan, i) =>
      Buffer.concat([outflowHeader, outflowType.toBuffer({ ...loan, ...values[i], ...modified })]),
    )
  const wholeRows = loans.map((loan, i) => ({ ...loan, ...values[i], ...modified }))
  return [
    {
      name: 'encode: columns → inflow | avsc toBuffer of objects made before',
      fast: () => columns.map((batch) => encode(batch)),
      twin: () => framedPlainly(inflowType, loans, inflowHeader),
      agree: () => sameBytes(messages, framedPlainly(inflowType, loans, inflowHeader)),
      atLeast: 3,
    },
    {
      name: 'decode what features need | avsc fromBuffer',
      fast: decodes(needed, batches),
      twin: () => readPlainly(inflowType, messages),
      agree: () =>
        deepStrictEqual(
          decodes(needed, batches)().flatMap(objectsOf),
          loans.map(({ seq, application_date, risk_score }) => ({ seq, application_date, risk_score })),
        ),
      atLeast: 2,
    },
    {
      name: 'decode all of outflow | avsc fromBuffer',
      fast: decodes(whole, outflows),
      twin: () => readPlainly(outflowType, outflowMessages),
      agree: () =>
        deepStrictEqual(
          decodes(whole, outflows)().flatMap(objectsOf),
          wholeRows.map(({ _v0: _, ...row }) => row),
        ),
      atLeast: 1.8,
    },
    {
      name: 'splice: inflow + features → outflow | avsc fromBuffer and toBuffer',
      fast: spliced,
      twin: anew,
      agree: () => sameBytes(outflowMessages, anew()),
      atLeast: 8,
    },
  ]
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0)
  return all
}

/** Doubles round some ties the other way: the engine is exact, the twin is not. */
function sameValues(one: readonly (readonly Float64Array[])[], other: readonly (readonly Float64Array[])[]): void {
  for (const feature of one[0]!.keys()) {
    const [a, b] = [joined(one.map((batch) => batch[feature]!)), joined(other.map((batch) => batch[feature]!))]
    const row = a.findIndex((value, at) => !(Math.abs(value - b[at]!) < 0.0010001) && !(value !== value && b[at]! !== b[at]!))
    if (a.length !== b.length || row !== -1) throw new Error(`feature ${feature + 1} of record ${row + 1} is ${a[row]} and ${b[row]}`)
  }
}

function sameBytes(one: readonly Buffer[], other: readonly Buffer[]): void {
  const at = one.findIndex((message, i) => !other[i]?.equals(message))
  if (one.length !== other.length || at !== -1) throw new Error(`message ${at + 1} differs`)
}

const nullable = (value: number) => (value === value ? value : null)

/** Rows as a program of objects would have them. */
function objectsOf({ count, byName }: Columns): object[] {
  const columns = [...byName].map(([name, column]) => [name === '_seq' ? 'seq' : name, cellOf(column)] as const)
  return Array.from({ length: count }, (_, row) => Object.fromEntries(columns.map(([name, cell]) => [name, cell(row)])))
}

function cellOf(column: Column): (row: number) => unknown {
  switch (column.kind) {
    case 'number':
      return (row) => nullable(column.values[row]!)
    case 'int':
      return (row) => column.values[row]
    case 'long':
      return (row) => Number(column.values[row])
    case 'date':
      return (row) => column.days[row]
    case 'integer':
    case 'decimal':
    case 'timestamp':
    case 'flag':
      return textsOf(column)
    case 'text': {
      const bytes = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength)
      return (row) => (column.starts[row] === -1 ? null : bytes.toString('utf8', column.starts[row], column.ends[row]))
    }
  }
}
