/**
 * A store that an earlier Tidemark wrote goes on: its versions are registered with a marker of no bytes, which rows of today have no more.
 */
import { expect, it } from 'vitest'
import { definitionOf, rowSchema } from '../feature-defs/row-schema.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { encoder, splicer } from '../schemas/avro/encode.ts'
import { cellsOf, type FieldPlace } from '../schemas/avro/field-places.ts'
import { inflowSchema, type AvroSchema } from '../schemas/avro/schema.ts'
import { incompatibilities } from '../schemas/avro/compatibility.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { v0, v1 } from '../examples/loans/loan-risk.ts'
import { knownVersions } from '../streams/known-versions.ts'
import type { Column } from '../utilities/values/columns.ts'
import { verify } from '../versions/verify.ts'
import { storeInMemory } from './driver/in-memory.ts'
import { loansText } from './loans-text.ts'
import { loanRisk, mustBeDone, streamed } from './memory-steps.ts'

/** As it was registered before. */
function before(schema: AvroSchema): AvroSchema {
  const marker = { name: schema.fields.at(-1)!.name, type: 'null', default: null } as const
  return { ...schema, fields: [...schema.fields.slice(0, -1), marker] }
}
const registeredBefore = before(rowSchema(v0.definition))
const id = '6f2a1c3e-0b4d-4e5f-8a9b-c0d1e2f30415'

it('reads its rows, and writes more of them as they were', () => {
  expect(definitionOf(registeredBefore)).toEqual(v0.definition)
  const loan = encoder(inflowSchema(rejectedLoan), id)({ count: 1, byName: new Map(cellsOf(inflowSchema(rejectedLoan)).map(emptyColumn)) })
  const spliced = (schema: AvroSchema) =>
    splicer(schema, id)(loan, { from: 0, to: 1 }, [{ kind: 'number', values: Float64Array.of(5) }], 7n, 0)
  const [old, today] = [spliced(registeredBefore), spliced(rowSchema(v0.definition))]
  expect(Buffer.from(today.bytes).equals(Buffer.concat([old.bytes, Buffer.of(0)]))).toBe(true)
  const [one, other] = [decoder(registeredBefore)(old, 0, 1), decoder(rowSchema(v0.definition))(today, 0, 1)]
  expect([one.bad, other.bad]).toEqual([[], []])
  expect(one.columns.byName.get('ma50')).toEqual(other.columns.byName.get('ma50'))
  expect([...one.columns.byName.keys()]).toEqual([...other.columns.byName.keys()])
})

const emptyColumn = ({ column, kind }: FieldPlace): readonly [string, Column] => {
  if (kind === 'date') return [column, { kind: 'date', days: Int32Array.of(14_000) }]
  if (kind === 'string') return [column, { kind: 'text', bytes: new Uint8Array(0), starts: Int32Array.of(-1), ends: Int32Array.of(0) }]
  return [column, { kind: kind === 'seq' ? 'int' : 'number', values: Float64Array.of(1) }]
}

it('takes its next version, whatever the registry asks of one', () =>
  expect(incompatibilities('FULL_ALL')(JSON.stringify(rowSchema(v1.definition)), [JSON.stringify(registeredBefore)])).toEqual([]))

it('goes on with the schema that is registered, and to the next version: every row is proved', async () => {
  const store = storeInMemory(loanRisk, 1, loansText([2007, 2007, 2008, 2008, 2009]))
  await store.open().registry.register('loan_risk', JSON.stringify(registeredBefore))
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
  await streamed(store, [2007, 2007])
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'apply', version: 1, mode: 'backfill' })
  await streamed(store, [2008, 2009])
  const known = await knownVersions(store.open().registry, 'loan_risk')
  expect(known.map(({ schema }) => schema.fields.at(-1)!.type)).toEqual(['null', ['null', 'int']])
  for (const [version, rows] of [2, 5].entries()) {
    const proof = verify(store.open(), { set: 'loan_risk', version, signal: new AbortController().signal, report: () => {} })
    expect(await proof).toMatchObject({ rows, differences: 0 })
  }
})
