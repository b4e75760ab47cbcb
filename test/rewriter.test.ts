/** What other forms of a record wrote, brought into a reader's own by columns: the same bytes as Avro's resolution gives one by one. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeObject } from '../schemas/avro/generic.ts'
import { incompatibilities } from '../schemas/avro/compatibility.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { date, decimal, flag, number, record, text, type RecordSchema } from '../schemas/record.ts'
import { frame } from '../schemas/wire.ts'
import { registerInflow } from '../streams/inflow.ts'
import { message } from '../streams/dead.ts'
import { rewriter } from '../streams/rewriter.ts'
import { memorySchemas, openMemoryRegistry } from '../utilities/memory/registry.ts'

const old = record('payment', 'day', { day: date({ nullable: false }), amount: decimal({ digits: 9, scale: 2 }) })
const middle = old.add({ channel: text({ bytes: 20 }) })
const latest = middle.add({ score: number(), paid: flag() })
const forms: readonly RecordSchema[] = [old, middle, latest]

const payments = fc.record({
  form: fc.nat(2),
  seq: fc.nat(1000),
  day: fc.nat(20_000),
  amount: fc.option(
    fc.tuple(fc.integer({ min: 1, max: 126 }), fc.uint8Array({ maxLength: 2 })).map(([first, rest]) => Buffer.from([first, ...rest])),
  ),
  channel: fc.option(fc.string({ maxLength: 20 })),
  score: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
  paid: fc.option(fc.boolean()),
  /** Bytes that its end lacks. */
  cut: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 4 })),
})

describe('messages of other forms of a record', () => {
  it('are the bytes that Avro makes of each, and dead where it reads none', async () => {
    const registry = openMemoryRegistry(memorySchemas(), incompatibilities('BACKWARD'))
    const registered = await Promise.all(forms.map((form) => registerInflow(registry, form)))
    const asked = fc.tuple(fc.nat(2), fc.array(payments, { minLength: 1, maxLength: 12 }))
    await fc.assert(
      fc.asyncProperty(asked, async ([own, all]) => {
        const framed = (compression: 'none' | 'zlib') => {
          const messages = all.map(({ form, cut, ...values }) => {
            const payload = encodeObject(inflowSchema(forms[form]!), values)
            return frame(registered[form]!.id, payload.subarray(0, payload.length - cut), compression)
          })
          let end = 0
          const ends = Uint32Array.from(messages, ({ length }) => (end += length))
          return { batch: { bytes: Buffer.concat(messages), ends }, offset: 5, next: 5 + all.length }
        }
        const toOwn = rewriter(registry, forms[own]!, registered[own]!)
        // What is packed goes one by one.
        const [byColumns, oneByOne] = [await toOwn(framed('none')), await toOwn(framed('zlib'))]
        expect(byColumns.dead.map(({ offset }) => offset)).toEqual(oneByOne.dead.map(({ offset }) => offset))
        const dead = new Set(oneByOne.dead.map(({ index }) => index))
        for (const index of all.keys()) {
          const [fast, slow] = [message(byColumns.batch, index), message(oneByOne.batch, index)]
          expect(Buffer.from(fast).toString('hex')).toBe(Buffer.from(slow).toString('hex'))
          expect(fast.length === 0).toBe(dead.has(index))
        }
      }),
    )
  })
})
