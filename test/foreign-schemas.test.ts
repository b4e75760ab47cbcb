/** Schemas of others: what was said of them is kept, what they refer to is put in, and a registry that is away is waited for. */
import { describe, expect, it } from 'vitest'
import { encodeObject } from '../schemas/avro/generic.ts'
import type { AvroType } from '../schemas/avro/schema.ts'
import { avroReader } from '../schemas/foreign/avro.ts'
import { byKindOfId, remembered, waitedFor } from '../utilities/foreign-schemas.ts'
import { withReferences } from '../utilities/schema-registry/references.ts'
import { OutOfReach, Problem } from '../utilities/values/problem.ts'

/** Says these, one after the other; what is an error is thrown. */
function saying(...answers: readonly (string | undefined | Error)[]) {
  const asked: string[] = []
  return {
    asked,
    async find(id: string): Promise<string | undefined> {
      const answer = answers[asked.push(id) - 1]
      if (answer instanceof Error) throw answer
      return answer
    },
  }
}

const away = new OutOfReach('the registry does not answer', 'Wait.')

describe('schemas of others', () => {
  it('are asked for once, and again when there was no answer', async () => {
    const registry = saying(away, 'text')
    const schemas = remembered(registry.find, () => 0)
    await expect(schemas.find('1')).rejects.toBe(away)
    expect([await schemas.find('1'), await schemas.find('1')]).toEqual(['text', 'text'])
    expect(registry.asked).toEqual(['1', '1'])
  })

  it('that are not there are forgotten when there are too many of them', async () => {
    const registry = saying()
    const schemas = remembered(registry.find, () => 0)
    for (let id = 0; id <= 10_000; id++) await schemas.find(String(id))
    await schemas.find('0')
    await schemas.find('10000')
    expect(registry.asked.slice(10_000)).toEqual(['10000', '0'])
  })

  it('are looked for by number in one place, and by UUID in others, one after the other', async () => {
    const [numbers, one, other] = [saying('n'), saying(undefined, undefined), saying('u')]
    const schemas = byKindOfId({ numbers, uuids: [one, other] })
    expect([await schemas.find('12'), await schemas.find('a-b'), await schemas.find('c-d')]).toEqual(['n', 'u', undefined])
    expect([numbers.asked, one.asked, other.asked]).toEqual([['12'], ['a-b', 'c-d'], ['a-b', 'c-d']])
    expect(await byKindOfId({ numbers: undefined, uuids: [] }).find('12')).toBeUndefined()
  })
})

describe('a schema that refers to others', () => {
  const record = (name: string, fields: { readonly [name: string]: unknown }, more: object = {}) => ({
    type: 'record',
    name,
    fields: Object.entries(fields).map(([own, type]) => ({ name: own, type })),
    ...more,
  })
  const read = (text: string, type: object, value: unknown) => {
    const reader = avroReader({ name: 't', fields: {}, key: ['id'], format: 'debezium', framing: 'none', schema: text }, undefined)
    const bytes = encodeObject(type as AvroType, value)
    const sent = reader.read(bytes, 0, bytes.length)
    return typeof sent === 'string' ? sent : Buffer.from(sent.bytes.slice(0, sent.to)).toString()
  }

  it('has each where it is used first, with the namespaces that they had', () => {
    const city = record('City', { name: 'string' })
    const street = record('Street', { city: 'City', next: ['null', 'Street'] }, { namespace: 'geo' })
    const inner = record('Place', { inside: record('Inside', { n: 'int' }), other: 'Inside' }, { namespace: 'geo' })
    const main = record(
      'User',
      { first: 'geo.Inside', place: 'Place', home: ['null', 'geo.Street'], cities: { type: 'array', items: 'City' } },
      { namespace: 'geo' },
    )
    const text = withReferences(
      JSON.stringify(main),
      [city, street, inner].map((one) => JSON.stringify(one)),
    )
    // The same by hand, with a name in place of one that has no namespace, which avsc cannot name within another.
    const inside = record('geo.Inside', { n: 'int' })
    const place = record('geo.Place', { inside: 'geo.Inside', other: 'geo.Inside' })
    const cityByHand = record('x.City', { name: 'string' })
    const home = record('geo.Street', { city: cityByHand, next: ['null', 'geo.Street'] })
    const whole = record('geo.User', { first: inside, place, home: ['null', home], cities: { type: 'array', items: 'x.City' } })
    const value = {
      first: { n: 1 },
      place: { inside: { n: 2 }, other: { n: 3 } },
      home: { city: { name: 'a' }, next: null },
      cities: [{ name: 'b' }],
    }
    expect(JSON.parse(read(text, whole, value))).toEqual(value)
  })

  it('is left as it is where one of them is no JSON', () => {
    expect(withReferences('"gone"', ['{'])).toBe('"gone"')
    expect(withReferences('{', ['"int"'])).toBe('{')
  })
})

describe('a registry that is away', () => {
  const waiting = (signal: AbortSignal = new AbortController().signal) => {
    const notes: string[] = []
    return { notes, note: (text: string) => void notes.push(text), signal, pauseMs: 1 }
  }

  it('is waited for, which is said once, and once when it is over', async () => {
    const options = waiting()
    const schemas = waitedFor(saying(away, away, away, 'text', away, undefined), options)
    expect(await schemas.find('1')).toBe('text')
    expect(options.notes).toEqual(['the registry does not answer: its messages wait', 'the registry does not answer: that is over'])
    expect(await schemas.find('2')).toBeUndefined()
    expect(options.notes).toHaveLength(4)
  })

  it('is not waited for where waiting is of no use', async () => {
    const refused = new Problem('it does not accept the credentials', 'Check them.')
    const options = waiting()
    await expect(waitedFor(saying(refused), options).find('1')).rejects.toBe(refused)
    expect(options.notes).toEqual([])
  })

  it('is left at once by who is told to stop, while it pauses, and while it is asked', async () => {
    const stop = new AbortController()
    const asked = waitedFor({ find: () => new Promise<never>(() => {}) }, waiting(stop.signal)).find('1')
    const paused = waitedFor(saying(away), { ...waiting(stop.signal), pauseMs: 60_000 }).find('1')
    setTimeout(() => stop.abort(), 5)
    await expect(asked).rejects.toThrow('aborted')
    await expect(paused).rejects.toThrow('aborted')
    await expect(waitedFor(saying('text'), waiting(stop.signal)).find('1')).rejects.toThrow('aborted')
  })
})
