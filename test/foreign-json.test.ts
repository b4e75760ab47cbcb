/** JSON of others: what is JSON and what is not, and that every value of a right kind comes to the same as by a plain reader. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import { jsonScanner, sentAs } from '../schemas/foreign/scan.ts'
import { memberOf, newShape, want, wantInside } from '../schemas/foreign/shape.ts'
import { date, decimal, flag, integer, number, record, text, timestamp } from '../schemas/record.ts'
import { messagesOf } from './foreign-messages.ts'
import { linesOf } from './foreign-rows.ts'

const isJson = (bytes: Buffer): boolean => {
  const text = bytes.toString()
  if (!Buffer.from(text).equals(bytes)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

// One with an escape alone: V8's JSON.parse takes one of the same length for another ({"b":1,"\\\\":2} once, and {"b":1,"\\n":2} has it,
// too).
const names = ['a', 'b', 'ä', 'op', '', 'a b', 'say "a"', '__proto__', 'constructor']
const shape = newShape()
const slots = names.map((name) => want(shape, shape.members, name))
const inside = wantInside(shape, shape.members, 'in')
const insideSlots = names.map((name) => want(shape, inside.members, name))
const { scan, found } = jsonScanner(shape)

const json = fc.json({ maxDepth: 6 })
/** JSON written by others: blanks, escapes where none are needed, numbers in any way. */
const loose = fc.tuple(json, fc.integer({ min: 0, max: 3 }), fc.boolean()).map(([text, indent, escapes]) => {
  const spaced = JSON.stringify(JSON.parse(text), null, indent)
  return escapes ? spaced.replace(/[\u0080-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`) : spaced
})

const valueAt = (slot: number): unknown => {
  const [from, to, kind] = [found.starts[slot]!, found.ends[slot]!, found.kinds[slot]!]
  if (kind === sentAs.absent) return undefined
  const isText = kind === sentAs.text || kind === sentAs.escapedText
  return JSON.parse(found.bytes.toString('utf8', isText ? from - 1 : from, isText ? to + 1 : to))
}

describe('the reader of JSON', () => {
  it('finds what JSON.parse finds, of members with the same name the last', () => {
    const members = fc.array(fc.tuple(fc.constantFrom(...names, 'in', 'other'), fc.jsonValue({ maxDepth: 3 })), { maxLength: 12 })
    const objectOf = (all: readonly (readonly [string, string])[]) =>
      `{${all.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(' , ')}}`
    const written = fc.tuple(members, members, members).map(([before, within, behind]) => {
      const texts = (all: typeof before) => all.map(([name, value]) => [name, JSON.stringify(value)] as const)
      return objectOf([...texts(before), ['in', objectOf(texts(within))], ...texts(behind)])
    })
    fc.assert(
      fc.property(written, (text) => {
        expect(scan(Buffer.from(text), 0, Buffer.byteLength(text))).toBeUndefined()
        const plain = new Map(Object.entries(JSON.parse(text) as object))
        for (const [i, name] of names.entries()) expect(valueAt(slots[i]!)).toEqual(plain.get(name))
        const within = plain.get('in') as object | null
        const ofInside = new Map(typeof within === 'object' && within && !Array.isArray(within) ? Object.entries(within) : [])
        for (const [i, name] of names.entries()) expect(valueAt(insideSlots[i]!)).toEqual(ofInside.get(name))
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with JSON.parse on what JSON is, whatever lies around it', () => {
    const junk = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '1', '-', '.', 'e', ' ', 'null', 'true', '\\', 'u00e9', 'ä', '\u0000'),
    })
    const mutated = fc.tuple(loose, fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('put', 'cut', 'drop')).map(([text, at, byte, how]) => {
      const bytes = Buffer.from(text)
      const place = at % (bytes.length + 1)
      if (how === 'cut') return bytes.subarray(0, place)
      const behind = bytes.subarray(how === 'drop' ? Math.min(place + 1, bytes.length) : place)
      return Buffer.concat(how === 'put' ? [bytes.subarray(0, place), Buffer.of(byte), behind] : [bytes.subarray(0, place), behind])
    })
    const bytes = fc.oneof(
      loose.map((text) => Buffer.from(text)),
      junk.map((text) => Buffer.from(text)),
      mutated,
      fc.uint8Array({ maxLength: 40 }).map((one) => Buffer.from(one)),
    )
    fc.assert(
      fc.property(bytes, fc.constantFrom('', '}', '"}', '7', 'ull', ' ', ']'), (one, behind) => {
        const all = Buffer.concat([Buffer.from('{"x'), one, Buffer.from(behind)])
        expect(scan(all, 3, 3 + one.length) === undefined).toBe(isJson(one))
      }),
      { numRuns: 3000 },
    )
  })

  it('ends at the first byte that is amiss, and says where', () => {
    const said = (text: string) => scan(Buffer.from(text), 0, Buffer.byteLength(text))
    expect(said('')).toBe('it is empty')
    expect(said('{"a":1')).toBe('it is not JSON: it ends too soon')
    expect(said('{"a":1}}')).toBe('it is not JSON from byte 7 on')
    expect(said('{"a":tru}')).toBe('it is not JSON from byte 5 on')
    expect(said('[NaN]')).toBe('it is not JSON from byte 1 on')
    expect(said('\ufeff{}')).toBe('it is not JSON from byte 0 on')
    expect(said(`${'['.repeat(65)}${']'.repeat(65)}`)).toBe('it is nested deeper than 64')
    expect(said(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeUndefined()
    expect(said('['.repeat(1_000_000))).toBe('it is nested deeper than 64')
    expect(scan(Buffer.from([0x22, 0xff, 0x22]), 0, 3)).toBe('its bytes are not UTF-8')
    expect(scan(Buffer.from([0x22, 0xc3, 0x22]), 0, 3)).toBe('its bytes are not UTF-8')
  })

  it('remembers no more than a thousand names of others', () => {
    const many = newShape()
    const slot = want(many, many.members, 'wanted')
    const reader = jsonScanner(many)
    for (let i = 0; i < 2000; i++) {
      const message = Buffer.from(`{"name${i}":${i},"wanted":${i},"other${i}":{"deep":[]}}`)
      expect(reader.scan(message, 0, message.length)).toBeUndefined()
      expect(message.toString('utf8', reader.found.starts[slot], reader.found.ends[slot])).toBe(String(i))
    }
    expect(many.members.byName.size).toBe(1000)
    expect(memberOf(many.members, 'one more')).toBeUndefined()
  })
})

const sale = record('sale', 'at', {
  at: timestamp(),
  whole: integer(),
  amount: decimal({ digits: 30, scale: 6 }),
  share: number(),
  paid: flag(),
  day: date(),
  note: text({ bytes: 400 }),
})

/** By JSON.parse and what the platform knows of dates; whole numbers and decimals are texts in it, as no double holds them. */
const plainLine = (value: { readonly [name: string]: unknown }): string => {
  const cell = (name: string): string => {
    const one = value[name] ?? null
    if (one === null) return '∅'
    switch (name) {
      case 'at':
        return new Date(typeof one === 'number' ? one : (one as string)).toISOString().replace(/\.000Z$|0+Z$/, 'Z')
      case 'amount': {
        const [, sign, digits, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(one as string)!
        return `${/[1-9]/.test(one as string) ? sign : ''}${digits}.${fraction.padEnd(6, '0')}`
      }
      case 'day':
        return typeof one === 'number' ? new Date(one * 86_400_000).toISOString().slice(0, 10) : (one as string)
      case 'share':
        return String((one as number) + 0)
      default:
        return String(one as string | boolean)
    }
  }
  return Object.keys(sale.fields).map(cell).join(' | ')
}

const day = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
const nullable = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null, freq: 5 })
const whole = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)
const amounts = fc
  .tuple(fc.bigInt({ min: -(10n ** 24n) + 1n, max: 10n ** 24n - 1n }), fc.option(fc.nat({ max: 999_999 }), { nil: undefined }))
  .map(([units, fraction]) => (fraction === undefined ? `${units}` : `${units}.${String(fraction).padStart(6, '0')}`))

const sales = fc.record(
  {
    at: nullable(
      fc.oneof(
        day.map((one) => one.toISOString()),
        fc.integer({ min: 1e11, max: 9e13 }),
      ),
    ),
    whole: nullable(whole),
    amount: nullable(amounts),
    share: nullable(fc.double({ noNaN: true, noDefaultInfinity: true })),
    paid: nullable(fc.boolean()),
    day: nullable(
      fc.oneof(
        day.map((one) => one.toISOString().slice(0, 10)),
        fc.integer({ min: -700_000, max: 2_900_000 }),
      ),
    ),
    note: nullable(fc.string({ unit: 'grapheme', maxLength: 20 })),
    other: fc.jsonValue({ maxDepth: 2 }),
  },
  { requiredKeys: [] },
)

/** As JSON: exact numbers as literals or as texts, members in any order, pretty or not, escaped or not. */
const writing = fc.record({ indent: fc.constantFrom(0, 1, '\t'), escapes: fc.boolean(), literals: fc.boolean(), turned: fc.boolean() })

function written(
  value: object,
  { indent, escapes, literals, turned }: { indent: string | number; escapes: boolean; literals: boolean; turned: boolean },
): string {
  const entries = Object.entries(value)
  const text = JSON.stringify(Object.fromEntries(turned ? entries.reverse() : entries), null, indent)
  const exact = literals ? text.replace(/("(?:whole|amount)": ?)"(-?[\d.]+)"/g, '$1$2') : text
  return escapes ? exact.replace(/[^\x00-\x7f]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`) : exact
}

describe('values of the right kinds', () => {
  it('come to what a plain reader makes of them, however they are written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(sales, writing), { minLength: 1, maxLength: 8 }), async (all) => {
        const decode = foreignDecoder({ name: 'sale', fields: sale.fields, key: null, format: 'json' }, undefined)
        const changes = await decode(messagesOf(all.map(([value, how]) => ({ value: written(value, how) }))))
        expect(changes.dead).toEqual([])
        expect(linesOf(changes.rows)).toEqual(all.map(([value]) => plainLine(value)))
      }),
      { numRuns: 400 },
    )
  })

  it('are said to be dead or are rows, whatever the bytes are, and nothing is thrown', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(sales, writing, fc.nat(), fc.nat({ max: 255 })).map(([value, how, at, byte]) => {
        const one = Buffer.from(written(value, how))
        one[at % one.length] = byte
        return one
      }),
      fc
        .dictionary(fc.constantFrom(...Object.keys(sale.fields)), fc.jsonValue({ maxDepth: 3 }))
        .map((one) => Buffer.from(JSON.stringify(one))),
    )
    const formats = ['json', 'debezium', 'avro'] as const
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 6 }), fc.constantFrom(...formats), fc.boolean(), async (all, format, isTable) => {
        const decode = foreignDecoder({ name: 'sale', fields: sale.fields, key: isTable ? ['note'] : null, format }, undefined)
        const { said, rows, dead, put } = await decode(messagesOf(all.map((value) => ({ value, key: value }))))
        expect(said.length).toBe(all.length)
        expect(rows.count).toBe(put.length)
        expect(dead.map(({ message }) => message)).toEqual([...said.keys()].filter((message) => said[message] === 4))
      }),
      { numRuns: 1500 },
    )
  })
})
