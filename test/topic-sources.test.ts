/** Sources that are topics of others: what the config says of them, what it refuses, and where they come from. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileFor, withoutFile } from '../commands/source-file.ts'
import { fileOf, readConfig, topicOf } from '../config/config.ts'
import { feedOf } from '../config/feed.ts'
import { foreignSchemasOf } from '../config/foreign-schemas.ts'
import { openMemoryFeed } from '../utilities/memory/feed.ts'
import { Problem } from '../utilities/values/problem.ts'
import { sent, valuesIn } from './contracts/feed-contract.ts'
import { payment } from './three-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-config-'))

function configOf(config: object) {
  const path = join(folder, 'own.json')
  writeFileSync(path, JSON.stringify(config))
  return readConfig(path, { TOKEN: 's3cret' })
}

const schemaFile = 'schemas/released/rejected_loan.avsc'
const debezium = { topic: 'pg.public.accounts', format: 'debezium' }
const kafkaLog = { kind: 'kafka', brokers: ['b1:9092'] }

describe('a source that is a topic', () => {
  it('has all that can be said of it, and what is not said is what it is mostly', () => {
    const all = {
      topic: 'pg.public.invoices',
      format: 'debezium',
      transactions: 'pg.transaction',
      framing: 'confluent',
      schemaRegistry: { url: 'https://registry.example/path', auth: { kind: 'bearer', token: '${TOKEN}' } },
      timestamps: 'microseconds',
      decimals: 'text',
      snapshot: 'none',
    }
    const config = configOf({
      sources: {
        invoices: all,
        accounts: { ...debezium, framing: 'confluent', schemaRegistry: { url: 'http://registry:8081' } },
        payment: { topic: 'payments', format: 'json' },
        skus: { file: 'skus.csv', delimiter: ';' },
        events: { stdin: 'jsonl' },
      },
      ingest: { kafka: { brokers: ['b1:9092, b2:9092', 'b3:9092'] } },
    })
    const schemaRegistry = { ...all.schemaRegistry, auth: { kind: 'bearer', token: 's3cret' } }
    expect(topicOf(config, 'invoices')).toEqual({ ...all, schemaRegistry })
    expect(topicOf(config, 'accounts')?.schemaRegistry?.auth).toEqual({ kind: 'none' })
    const bare = { topic: 'a', format: 'avro', framing: 'none', schema: schemaFile }
    expect(topicOf(configOf({ sources: { bare } }), 'bare')?.schema).toBe(readFileSync(schemaFile, 'utf8'))
    expect(topicOf(config, 'payment')).toEqual({ topic: 'payments', format: 'json' })
    expect(topicOf(config, 'events')).toEqual({ topic: 'standard input', format: 'json' })
    expect(['skus', 'nothing', 'constructor'].map((name) => topicOf(config, name))).toEqual([undefined, undefined, undefined])
    expect(config.ingest).toEqual({ holdMs: 5_000, kafka: { brokers: ['b1:9092', 'b2:9092', 'b3:9092'], auth: { kind: 'none' } } })
    expect(fileOf(config, 'skus', false)).toEqual({ file: 'skus.csv', form: { delimiter: ';' } })
    expect(['invoices', 'events'].map((name) => fileOf(config, name, true))).toEqual([undefined, undefined])
    expect(configOf({}).ingest).toEqual({ holdMs: 5_000 })
  })

  it.each([
    [{ ...debezium, file: 'a.csv' }, /own\.json has an unknown key sources\.accounts\.file/],
    [{ ...debezium, delimiter: ';' }, /own\.json has an unknown key sources\.accounts\.delimiter/],
    [{ ...debezium, schemaRegistry: { url: 'http://r', user: 'a' } }, /unknown key sources\.accounts\.schemaRegistry\.user/],
    [{ topic: 'accounts' }, /own\.json: sources\.accounts\.format: /],
    [{ ...debezium, format: 'xml' }, /sources\.accounts\.format: .*"debezium"/],
    [{ ...debezium, topic: 'with space' }, /sources\.accounts\.topic: a topic is called by letters/],
    [{ topic: 'a', format: 'json', transactions: 'b' }, /sources\.accounts\.transactions: only the format debezium tells/],
    [{ topic: 'a', format: 'avro', framing: 'confluent' }, /sources\.accounts\.framing: .*needs the schemaRegistry/],
    [{ topic: 'a', format: 'avro', framing: 'glue', schemaRegistry: { url: 'http://r' } }, /schemaRegistry: it is for Confluent's framing/],
    [{ topic: 'a', format: 'avro', framing: 'none' }, /sources\.accounts\.framing: messages that name no schema need one: "schema"/],
    [{ topic: 'a', format: 'avro', schema: schemaFile }, /sources\.accounts\.schema: it is for messages in Avro whose framing is none/],
    [{ topic: 'a', format: 'json', framing: 'none', schema: schemaFile }, /sources\.accounts\.schema: it is for messages in Avro/],
    [{ topic: 'a', format: 'avro', framing: 'none', schema: 'gone.avsc' }, /sources\.accounts\.schema: gone\.avsc cannot be read: ENOENT/],
    [{ topic: 'a', format: 'avro', framing: 'none', schema: 'package.json' }, /schema: package\.json has no Avro schema: it names a type/],
    [{ topic: 'a', format: 'avro', schemaRegistry: { url: 'ftp://r' } }, /schemaRegistry\.url: it is no address that begins with http/],
    [{ topic: 'a', format: 'avro', schemaRegistry: { url: 'http://r', auth: { kind: 'basic' } } }, /schemaRegistry\.auth\.username: /],
    [{ ...debezium, timestamps: 'seconds' }, /sources\.accounts\.timestamps: /],
    [{ ...debezium, snapshot: 'all' }, /sources\.accounts\.snapshot: /],
    [{ stdin: 'csv' }, /sources\.accounts\.stdin: /],
    [{ stdin: 'jsonl', format: 'json' }, /unknown key sources\.accounts\.format/],
    [{}, /sources\.accounts\.file: /],
    ['accounts.csv', /sources\.accounts: /],
  ])('is refused where it says what cannot be: %j', (source, said) => {
    const reading = () => configOf({ sources: { accounts: source } })
    expect(reading).toThrow(Problem)
    expect(reading).toThrow(said)
  })

  it('is refused where two are standard input', () => {
    expect(() => configOf({ sources: { a: { stdin: 'jsonl' }, b: { stdin: 'jsonl' } } })).toThrow(
      'sources.b: standard input is that of a already',
    )
    expect(() => configOf({ ingest: { kafka: { brokers: ['b:1'], topicPrefix: 'x' } } })).toThrow('unknown key ingest.kafka.topicPrefix')
    expect(() => configOf({ ingest: { file: 'x' } })).toThrow('unknown key ingest.file')
  })

  it('is refused by name by who reads files, unless a file is named', () => {
    const config = configOf({ sources: { payment: { topic: 'payments', format: 'json' } } })
    expect(() => fileFor(payment, new Map(), {}, config)).toThrow('payment comes from the topic payments. Run: tidemark ingest.')
    expect(fileFor(payment, new Map(), { file: 'some.csv' }, config)).toEqual({ file: 'some.csv', form: {} })
    const { message } = withoutFile('events', configOf({ sources: { events: { stdin: 'jsonl' } } }))
    expect(message).toMatch(/^events comes from standard input\. Run: tidemark ingest\./)
  })
})

describe('the feed of the sources', () => {
  const sources = { accounts: debezium, other: { ...debezium, topic: 'x', transactions: 'pg.tx' }, events: { stdin: 'jsonl' } }

  /** What was opened, and where. */
  function opening(config: object) {
    const opened: string[] = []
    const kafka = openMemoryFeed()
    kafka.make('pg.public.accounts', 1)
    kafka.append('pg.public.accounts', 0, sent(['of Kafka']))
    const lines = openMemoryFeed()
    lines.make('standard input', 1)
    let failing = 0
    const feed = feedOf(configOf(config), {
      async kafka({ brokers }) {
        opened.push(brokers.join())
        if (failing-- > 0) throw new Problem('Kafka does not answer', 'Start it.')
        return kafka
      },
      async lines() {
        opened.push('lines')
        return lines
      },
    })
    return { feed, opened, fail: (times: number) => (failing = times) }
  }

  it('is opened part by part, when it is asked about a topic of it, and once', async () => {
    const { feed, opened } = opening({ sources, log: kafkaLog })
    expect(opened).toEqual([])
    expect(await Promise.all(['pg.public.accounts', 'pg.public.accounts', 'x'].map((topic) => feed.ends(topic)))).toEqual([
      [{ first: 0, next: 1 }],
      [{ first: 0, next: 1 }],
      [],
    ])
    expect(await valuesIn(feed, 'pg.public.accounts')).toEqual(['of Kafka'])
    expect(opened).toEqual(['b1:9092'])
    expect(await feed.ends('standard input')).toEqual([{ first: 0, next: 0 }])
    expect(opened).toEqual(['b1:9092', 'lines'])
    await feed.close()
  })

  it('comes from the Kafka of ingest before that of the log, and from nowhere without either: a Problem that names the sources', async () => {
    const there = opening({ sources, log: kafkaLog, ingest: { kafka: { brokers: ['theirs:9092'] } } })
    await there.feed.ends('x')
    expect(there.opened).toEqual(['theirs:9092'])
    const { feed, opened } = opening({ sources })
    await expect(feed.ends('pg.public.accounts')).rejects.toThrow(
      'accounts comes from the topic pg.public.accounts, and no Kafka is named that it could lie in. Add "ingest":',
    )
    await expect(valuesIn(feed, 'pg.tx')).rejects.toThrow(/^other comes from the topic pg\.tx/)
    expect(await feed.ends('standard input')).toHaveLength(1)
    expect(opened).toEqual(['lines'])
  })

  it('is opened anew after it could not be opened', async () => {
    const { feed, opened, fail } = opening({ sources, log: kafkaLog })
    fail(1)
    await expect(feed.ends('x')).rejects.toThrow('Kafka does not answer')
    expect(await feed.ends('x')).toEqual([])
    expect(opened).toHaveLength(2)
  })
})

describe('the schemas of messages of others', () => {
  const at = (url: string) => ({ url, auth: { kind: 'none' } })
  const glue = { kind: 'glue', region: 'eu-west-1' }
  const uuid = '00000000-0000-4000-8000-00000000000a'

  /** What was asked, and where; each place says which one it is. */
  function asking(config: object, region?: string, own?: string) {
    const asked: string[] = []
    const place = (name: string, has = true) => ({
      async find(id: string) {
        asked.push(`${name} ${id.slice(-1)}`)
        return has ? name : undefined
      },
    })
    const of = foreignSchemasOf(configOf(config), {
      http: async ({ url }) => (asked.push(`open ${url}`), place(url)),
      glue: async (where) => (asked.push(`open ${where}`), place(where)),
      registry: {
        find: async (id) => (asked.push(`own ${id.slice(-1)}`), own === undefined ? undefined : { ...version, definition: own }),
      },
      region,
      waiting: undefined,
    })
    return { asked, find: (name: string, id: string) => of(name)!.find(id) }
  }
  const version = { id: uuid, subject: 's', number: 1, labels: {} }
  const sources = {
    one: { ...debezium, schemaRegistry: at('http://a') },
    two: { ...debezium, schemaRegistry: at('http://a') },
    other: { ...debezium, schemaRegistry: at('http://b') },
    none: debezium,
  }

  it('are asked for by number where the source says, and each place is opened once, when it is needed', async () => {
    const { asked, find } = asking({ sources })
    expect([await find('one', '7'), await find('two', '8'), await find('other', '7')]).toEqual(['http://a', 'http://a', 'http://b'])
    expect(asked).toEqual(['open http://a', 'http://a 7', 'http://a 8', 'open http://b', 'http://b 7'])
    expect(await find('none', '7')).toBeUndefined()
  })

  it('are asked for by UUID in the Glue of the store, or else in its own registry and then in that of the machine', async () => {
    const inGlue = asking({ sources, registry: glue }, 'us-east-1', 'own')
    expect(await inGlue.find('none', uuid)).toBe('eu-west-1')
    expect(inGlue.asked).toEqual(['open eu-west-1', 'eu-west-1 a'])
    const embedded = asking({ sources }, 'us-east-1')
    expect(await embedded.find('none', uuid)).toBe('us-east-1')
    expect(embedded.asked).toEqual(['own a', 'open us-east-1', 'us-east-1 a'])
    const alone = asking({ sources }, undefined, 'own')
    expect([await alone.find('none', uuid), await alone.find('one', uuid)]).toEqual(['own', 'own'])
    expect(alone.asked).toEqual(['own a'])
    expect(await asking({ sources }).find('none', uuid)).toBeUndefined()
  })

  it("are nobody's where there is no such source", () => {
    expect(
      foreignSchemasOf(configOf({ sources }), {
        http: () => expect.unreachable(),
        glue: () => expect.unreachable(),
        registry: { find: async () => undefined },
        region: undefined,
        waiting: undefined,
      })('gone'),
    ).toBeUndefined()
  })

  it('are asked for again at a place that could not be opened', async () => {
    let failing = true
    const of = foreignSchemasOf(configOf({ sources }), {
      async http() {
        if (failing) throw new Problem('it is not there', 'Wait.')
        return { find: async () => 'text' }
      },
      glue: () => expect.unreachable(),
      registry: { find: async () => undefined },
      region: undefined,
      waiting: undefined,
    })
    await expect(of('one')!.find('1')).rejects.toThrow('it is not there')
    failing = false
    expect(await of('one')!.find('1')).toBe('text')
  })
})
