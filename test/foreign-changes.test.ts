/** Keys, deletions and changes of others, in every form that they come in: what each message says, and what a person hears of it. */
import { describe, expect, it } from 'vitest'
import type { Changes } from '../schemas/foreign/changes.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { transactionDecoder } from '../schemas/foreign/transactions.ts'
import { decimal, integer, text } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { netOf } from '../ingest/net.ts'
import { piecesOf } from '../ingest/pieces.ts'
import { messagesOf, type Sent } from './foreign-messages.ts'
import { saidBy, textsIn } from './foreign-rows.ts'

const skus = table('skus', { key: 'sku' }, { sku: text({ bytes: 20 }), price: decimal({ digits: 12, scale: 2, from: 'unit_price' }) })
const lines = table('lines', { key: ['invoice', 'item'] }, { invoice: integer(), item: integer(), quantity: integer() })

const decode = (source: ForeignSource, sent: readonly Sent[]): Promise<Changes> => foreignDecoder(source, undefined)(messagesOf(sent))

const saidOf = async (source: ForeignSource, sent: readonly Sent[]) => saidBy(await decode(source, sent))

describe('rows by key in JSON', () => {
  const json: ForeignSource = { ...skus, format: 'json' }
  const upsert: ForeignSource = { ...skus, format: 'upsert-json' }

  it('are put under the key of the value, and gone by that of the message: an object, a scalar, or plain text', async () => {
    const gone = (key: Sent['key']) => ({ key: key ?? null, value: null })
    const all = [
      { key: null, value: '{"sku":"A","unit_price":1.5}' },
      gone('{"sku":"A"}'),
      gone('"A"'),
      gone('A'),
      gone('007'),
      gone('12.50'),
      gone('true'),
      gone('a b "c"'),
    ]
    expect(await saidOf(json, all)).toEqual([
      'A | 1.50',
      'gone A',
      'gone A',
      'gone A',
      'gone 007',
      'gone 12.50',
      'gone true',
      'gone a b "c"',
    ])
    expect(await saidOf(json, [{ key: 'A', value: 'null' }])).toEqual(['gone A'])
  })

  it('are dead without a key that can be read', async () => {
    const gone = (key: Sent['key']) => ({ key: key ?? null, value: null })
    const all = [
      gone(null),
      gone(''),
      gone('null'),
      gone('{"id":1}'),
      gone('{"sku":null}'),
      gone(Buffer.of(0xff, 0xfe)),
      gone('x'.repeat(21)),
    ]
    expect(await saidOf(json, all)).toEqual([
      'dead: it has no key',
      'dead: its key cannot be read: it is empty',
      'dead: it has no key',
      'dead: it has no sku',
      'dead: sku is null',
      'dead: its key cannot be read: it is not JSON from byte 0 on',
      `dead: sku: "${'x'.repeat(21)}" is longer than 20 bytes`,
    ])
  })

  it('of a key of several fields need an object', async () => {
    const of: ForeignSource = { ...lines, format: 'json' }
    const gone = (key: string) => ({ key, value: null })
    expect(await saidOf(of, [gone('{"item":2,"invoice":1}'), gone('1'), gone('1-2'), gone('[1,2]')])).toEqual([
      'gone 1 | 2',
      'dead: its key is not an object of invoice, item',
      'dead: its key cannot be read: it is not JSON from byte 1 on',
      'dead: its key is not an object of invoice, item',
    ])
  })

  it('as upserts, take from the key what the value lacks', async () => {
    const all = [
      { key: '{"sku":"A"}', value: '{"unit_price":2}' },
      { key: '"B"', value: '{"unit_price":3}' },
      { key: 'C', value: '{"sku":"own","unit_price":4}' },
      { key: null, value: '{"unit_price":5}' },
      { key: 'D', value: null },
    ]
    expect(await saidOf(upsert, all)).toEqual(['A | 2.00', 'B | 3.00', 'own | 4.00', 'dead: it has no sku', 'gone D'])
  })

  it('are not gone where they are events: an empty one is dead', async () => {
    const events: ForeignSource = { ...skus, key: null, format: 'json' }
    expect(
      await saidOf(events, [
        { key: 'A', value: null },
        { key: 'A', value: 'null' },
      ]),
    ).toEqual(['dead: it is empty', 'dead: it is empty'])
  })

  it('have a field that messages lack told once', async () => {
    const decodes = foreignDecoder(json, undefined)
    const { notes } = await decodes(messagesOf([{ value: '{"sku":"A"}' }, { value: '{"sku":"B","other":1}' }]))
    expect(notes).toEqual(['skus: a message has no unit_price: price is null there, and in all others that lack it'])
    expect((await decodes(messagesOf([{ value: '{"sku":"A"}' }]))).notes).toEqual([])
  })
})

const source =
  '"source":{"connector":"postgresql","name":"shop","snapshot":"false","db":"d","sequence":"[\\"7\\",\\"9\\"]",' +
  '"schema":"public","table":"skus","txId":5,"lsn":9}'
const envelope = (op: string, rest: string) => `{"op":"${op}",${rest},${source}}`
const key = (sku: string) => `{"sku":"${sku}"}`
const dbz: ForeignSource = { ...skus, format: 'debezium' }

describe('changes in an envelope', () => {
  it('say what their op is', async () => {
    const all = [
      { key: key('A'), value: envelope('c', '"before":null,"after":{"sku":"A","unit_price":"1.50"}') },
      { key: key('A'), value: envelope('u', '"before":null,"after":{"sku":"A","unit_price":"1.75"}') },
      { key: key('A'), value: envelope('r', '"after":{"sku":"A","unit_price":"2.25"}') },
      { key: key('A'), value: envelope('d', '"before":{"sku":"A","unit_price":null},"after":null') },
      { key: key('A'), value: null },
      { key: null, value: envelope('t', '"before":null,"after":null') },
      { key: null, value: envelope('m', '"message":{"prefix":"app","content":"aGVsbG8="}') },
      { key: null, value: envelope('x', '"after":null') },
      { key: key('A'), value: envelope('c', '"before":null,"after":null') },
      { key: key('A'), value: envelope('c', '"before":null,"after":"{\\"sku\\":1}"') },
    ]
    const changes = await decode(dbz, all)
    expect(saidBy(changes)).toEqual([
      'A | 1.50',
      'A | 1.75',
      'A | 2.25',
      'gone A',
      'nothing',
      'emptied',
      'nothing',
      'dead: op is "x", which is none of Debezium\'s',
      'dead: it has no row in "after"',
      'dead: it has no row in "after"',
    ])
    expect(changes.origins.map((origin) => origin?.op)).toEqual(['c', 'u', 'r', 'd', undefined, 't', undefined, undefined, 'c', 'c'])
    expect(changes.origins[0]).toEqual({
      connector: 'shop',
      collection: 'public.skus',
      op: 'c',
      snapshot: 'no',
      transaction: undefined,
      place: { of: 'postgres', transaction: 5n, lsn: 9n, commit: 7n },
      run: undefined,
    })
  })

  it('have a row gone by the key of the message, or by the row before where there is none', async () => {
    const gone = (before: string, own: string | null) => ({ key: own, value: envelope('d', `"before":${before},"after":null`) })
    const all = [
      gone('null', key('A')),
      gone('{"sku":"B"}', key('A')),
      gone('{"sku":"B","unit_price":null}', null),
      gone('{"sku":"B"}', '{"id":7}'),
      gone('{"sku":null}', '{"id":7}'),
      gone('null', null),
      gone('{"sku":"B"}', 'Struct{sku=A}'),
      gone('null', 'Struct{sku=A}'),
      gone('null', '{"schema":{"type":"struct","fields":[{"type":"string","field":"sku"}]},"payload":{"sku":"C"}}'),
    ]
    expect(await saidOf(dbz, all)).toEqual([
      'gone A',
      'gone A',
      'gone B',
      'gone B',
      'dead: sku is null',
      'dead: it has no key',
      'gone B',
      'dead: its key cannot be read: it is not JSON from byte 0 on',
      'gone C',
    ])
  })

  it('take the key of the message where the row lacks it', async () => {
    const all = [
      { key: key('A'), value: envelope('c', '"after":{"unit_price":"1.50"}') },
      { key: null, value: envelope('c', '"after":{"unit_price":"1.50"}') },
    ]
    expect(await saidOf(dbz, all)).toEqual(['A | 1.50', 'dead: it has no sku'])
  })

  it('that move a row to another key, where the key is not that of the database, say both', async () => {
    const moved = (before: string) => ({
      key: '{"id":7}',
      value: envelope('u', `"before":${before},"after":{"sku":"B","unit_price":"1.00"}`),
    })
    expect(
      await saidOf(dbz, [moved('{"sku":"A","unit_price":"1.00"}'), moved('{"sku":"B"}'), moved('null'), moved('{"sku":null}')]),
    ).toEqual(['gone A, B | 1.00', 'B | 1.00', 'B | 1.00', 'B | 1.00'])
  })

  it('that move a row leave those that are gone in the same batch what they are', async () => {
    const messages = messagesOf([
      { key: '{"id":7}', value: envelope('u', '"before":{"sku":"A"},"after":{"sku":"B","unit_price":"1.00"}') },
      { key: key('C'), value: envelope('d', '"before":{"sku":"C"}').replace('"lsn":9', '"lsn":10') },
    ])
    const pieces = piecesOf({ source: 'skus', partition: 0, several: false }, messages, await foreignDecoder(dbz, undefined)(messages), {
      newest: undefined,
      held: false,
    })
    const { rows, gone } = netOf(skus, pieces, () => ({ count: 0, byName: new Map() }))
    expect([...textsIn(rows, 'sku'), ...textsIn(gone, 'sku')]).toEqual(['B', 'A', 'C'])
  })

  it('of events are puts when they are new, dead when they change one, and nothing when one leaves', async () => {
    const events: ForeignSource = { ...dbz, key: null }
    const row = '"after":{"sku":"A","unit_price":"1.50"}'
    const all = [
      { value: envelope('c', row) },
      { value: envelope('r', row) },
      { value: envelope('u', row) },
      { value: envelope('d', '"before":{"sku":"A"}') },
      { value: envelope('t', '"before":null') },
      { key: key('A'), value: null },
    ]
    expect(await saidOf(events, all)).toEqual([
      'A | 1.50',
      'A | 1.50',
      'dead: it changes an event, and an event never changes: make it a table',
      'nothing',
      'nothing',
      'nothing',
    ])
  })

  it('are dead where they are something else', async () => {
    const all = [
      '{}',
      '[]',
      '"op"',
      '{"op":"c","after":{"sku":"A"}}',
      '{"op":1,"source":{}}',
      '{"schema":{"type":"struct"},"payload":7}',
      '{"foo":1}',
      '\u0000\u0001\u0002',
      '\u0003\u0000',
    ]
    expect(
      await saidOf(
        dbz,
        all.map((value) => ({ key: key('A'), value })),
      ),
    ).toEqual([
      'dead: it is not a change as Debezium sends them, and has none of the fields',
      'dead: it is not an object',
      'dead: it is not an object',
      'dead: it is not a change as Debezium sends them, and has none of the fields',
      'dead: it is not a change as Debezium sends them, and has none of the fields',
      'dead: it is not an object',
      'dead: it is not a change as Debezium sends them, and has none of the fields',
      'dead: it is Avro, and there is no schema registry to read it by',
      'dead: it is Avro, and there is no schema registry to read it by',
    ])
    expect(await saidOf({ ...dbz, framing: 'none' }, [{ value: '\u0003\u0000' }])).toEqual(['dead: it is not JSON from byte 0 on'])
  })
})

describe('changes that were flattened', () => {
  const row = (sku: string, more = '') => `{"sku":"${sku}","unit_price":"1.50"${more}}`

  it('are puts, or gone where they say so', async () => {
    const all = [
      { key: key('A'), value: row('A') },
      { key: key('A'), value: row('A', ',"__deleted":"false","__op":"u"') },
      { key: key('A'), value: row('A', ',"__deleted":"true"') },
      { key: key('A'), value: row('A', ',"__deleted":true') },
      { key: key('A'), value: row('A', ',"__op":"d"') },
      { key: null, value: row('A', ',"__op":"d"') },
      { key: null, value: row('A', ',"__op":"t"') },
    ]
    expect(await saidOf(dbz, all)).toEqual(['A | 1.50', 'A | 1.50', 'gone A', 'gone A', 'gone A', 'gone A', 'emptied'])
  })

  it('without a value are gone where deletions are not rewritten, and say nothing behind one that is', async () => {
    const tombstone = { key: key('A'), value: null }
    expect(await saidOf(dbz, [{ value: row('A') }, tombstone])).toEqual(['A | 1.50', 'gone A'])
    expect(await saidOf(dbz, [tombstone, { value: row('A') }])).toEqual(['gone A', 'A | 1.50'])
    expect(await saidOf(dbz, [tombstone])).toEqual(['gone A'])
    expect(await saidOf(dbz, [{ key: key('A'), value: row('A', ',"__deleted":"true"') }, tombstone])).toEqual(['gone A', 'nothing'])
    expect(await saidOf(dbz, [tombstone, { value: row('B', ',"__deleted":"false"') }])).toEqual(['nothing', 'B | 1.50'])
    expect(await saidOf(dbz, [tombstone, { value: envelope('r', '"after":{"sku":"A"}') }])).toEqual(['nothing', 'A | ∅'])
  })

  it('have a place where the transformation adds it, and none where not', async () => {
    const { origins } = await decode(dbz, [
      { value: row('A', ',"__op":"c","__lsn":12,"__txId":3,"__table":"skus","__schema":"public","__name":"shop"') },
      {
        value: row(
          'A',
          ',"__op":"u","__source_file":"binlog.000001","__source_pos":120,"__source_row":2,"__source_table":"skus","__source_db":"shop"',
        ),
      },
      { value: row('A', ',"__op":"u"') },
      { value: row('A') },
    ])
    expect(origins.map((origin) => origin && [origin.connector, origin.collection, origin.op, origin.place])).toEqual([
      ['shop', 'public.skus', 'c', { of: 'postgres', transaction: 3n, lsn: 12n, commit: null }],
      ['shop', 'shop.skus', 'u', { of: 'mysql', file: 'binlog.000001', position: 120n, row: 2 }],
      ['shop', '', 'u', undefined],
      undefined,
    ])
  })
})

describe('transactions', () => {
  const said = (all: readonly string[]) => transactionDecoder(dbz, undefined)(messagesOf(all.map((value) => ({ value }))))

  it('are known by what is before the colon, or by their GTID', async () => {
    const end = (id: string) =>
      `{"status":"END","id":"${id}","event_count":1,"data_collections":[{"data_collection":"public.skus","event_count":2}],"ts_ms":1}`
    expect(
      await said([end('745:22243504'), end('0-1-18'), end('3e11fa47-71ca-11e1-9e33-c80aa9429562:23'), '{"status":"BEGIN","id":"745:1"}']),
    ).toEqual([
      { kind: 'end', transaction: '745', lsn: 22243504n, changes: new Map([['public.skus', 2]]) },
      { kind: 'end', transaction: '0-1-18', lsn: undefined, changes: new Map([['public.skus', 2]]) },
      { kind: 'end', transaction: '3e11fa47-71ca-11e1-9e33-c80aa9429562:23', lsn: undefined, changes: new Map([['public.skus', 2]]) },
      { kind: 'begin', transaction: '745', lsn: 1n, changes: new Map() },
    ])
  })

  it('that say neither are dead', async () => {
    const none = { dead: 'it says neither BEGIN nor END of a transaction' }
    const uncounted = { dead: 'it does not say how many changes the transaction has in each table' }
    expect(
      await said([
        'null',
        '{}',
        '{"status":"END"}',
        '{"status":"MIDDLE","id":"1"}',
        '7',
        '{',
        '{"status":"END","id":"1"}',
        '{"status":"END","id":"1","data_collections":[{"data_collection":1}]}',
        '{"status":"END","id":"1","data_collections":null}',
      ]),
    ).toEqual([
      undefined,
      none,
      none,
      none,
      none,
      { dead: 'it is not JSON: it ends too soon' },
      uncounted,
      uncounted,
      { kind: 'end', transaction: '1', lsn: undefined, changes: new Map() },
    ])
  })
})
