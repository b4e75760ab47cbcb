/** Avro schemas by chance, with a value of each, and the JSON that this value is; made by code that shares nothing with what reads them. */
import fc from 'fast-check'

type Made = { readonly schema: unknown; readonly value: unknown; readonly json: string }

const whole = (schema: unknown, least: bigint, most: bigint): fc.Arbitrary<Made> =>
  fc.bigInt(least, most).map((value) => ({ schema, value: schema === 'int' ? Number(value) : value, json: String(value) }))

/** As JSON.stringify writes it, but for what it writes in short. */
const textJson = (text: string) =>
  JSON.stringify(text).replace(/\\(.)/g, (pair, one: string) => (one in inShort ? `\\u00${inShort[one as keyof typeof inShort]}` : pair))
const inShort = { n: '0a', r: '0d', t: '09', b: '08', f: '0c' }

const leaf = fc.oneof(
  fc.constant<Made>({ schema: 'null', value: null, json: 'null' }),
  fc.boolean().map((value): Made => ({ schema: 'boolean', value, json: String(value) })),
  whole('int', -(2n ** 31n), 2n ** 31n - 1n),
  whole('int', -200n, 200n),
  whole('long', -(2n ** 63n), 2n ** 63n - 1n),
  whole('long', -(10n ** 10n), 10n ** 16n),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value): Made => ({ schema: 'double', value, json: numberJson(value) })),
  fc.string({ unit: 'binary', maxLength: 12 }).map((value): Made => ({ schema: 'string', value, json: textJson(value) })),
  fc.uint8Array({ maxLength: 12 }).map((bytes): Made => {
    const value = Buffer.from(bytes)
    return { schema: 'bytes', value, json: `"${value.toString('base64')}"` }
  }),
)

const numberJson = (value: number) =>
  Object.is(value, -0) ? '-0.0' : Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : `${value}`

let names = 0
const named = (kind: string) => `${kind}${++names}`

const { tree } = fc.letrec<{ tree: Made }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.nat(2).map((index): Made => {
      const symbols = ['A', 'b_1', 'C']
      return { schema: { type: 'enum', name: named('E'), symbols }, value: symbols[index], json: `"${symbols[index]!}"` }
    }),
    fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes): Made => {
      const value = Buffer.from(bytes)
      return { schema: { type: 'fixed', name: named('F'), size: bytes.length }, value, json: `"${value.toString('base64')}"` }
    }),
    fc.tuple(tie('tree'), fc.boolean(), fc.boolean()).map(([one, first, isNull]): Made => {
      const { schema } = one
      // A union in a union, and null beside null, are no Avro.
      if (schema === 'null' || Array.isArray(schema)) return one
      const value = isNull ? null : one.value
      return { schema: first ? ['null', schema] : [schema, 'null'], value, json: isNull ? 'null' : one.json }
    }),
    fc.oneof(fc.constant(null), fc.boolean(), fc.string({ maxLength: 5 })).map((value): Made => ({
      schema: ['null', 'boolean', 'string'],
      value,
      json: typeof value === 'string' ? textJson(value) : String(value),
    })),
    fc.tuple(tie('tree'), fc.nat(3)).map(([one, count]): Made => ({
      schema: { type: 'array', items: one.schema },
      value: Array<unknown>(count).fill(one.value),
      json: `[${Array<string>(count).fill(one.json).join(',')}]`,
    })),
    fc.tuple(tie('tree'), fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 3 })).map(([one, keys]): Made => {
      const value = Object.fromEntries(keys.map((key) => [key, one.value]))
      return {
        schema: { type: 'map', values: one.schema },
        value,
        json: `{${Object.keys(value)
          .map((key) => `${textJson(key)}:${one.json}`)
          .join(',')}}`,
      }
    }),
    fc.array(tie('tree'), { maxLength: 5 }).map((all): Made => row(all)),
  ),
}))

const row = (all: readonly Made[]): Made => ({
  schema: { type: 'record', name: named('R'), fields: all.map(({ schema }, index) => ({ name: `f${index}`, type: schema })) },
  value: Object.fromEntries(all.map(({ value }, index) => [`f${index}`, value])),
  json: `{${all.map(({ json }, index) => `"f${index}":${json}`).join(',')}}`,
})

/** A record, as messages are. */
export const anyAvro: fc.Arbitrary<Made> = fc.array(tree, { minLength: 1, maxLength: 6 }).map(row)
