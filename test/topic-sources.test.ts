/** Sources that are topics of others: what the config says of them, what it refuses, and where they come from. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileFor, withoutFile } from '../commands/source-file.ts'
import { fileOf, readConfig, topicOf } from '../config/config.ts'
import { feedOf } from '../config/feed.ts'
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
    expect(topicOf(config, 'payment')).toEqual({ topic: 'payments', format: 'json' })
    expect(topicOf(config, 'events')).toEqual({ topic: 'standard input', format: 'json' })
    expect(['skus', 'nothing', 'constructor'].map((name) => topicOf(config, name))).toEqual([undefined, undefined, undefined])
    expect(config.ingest).toEqual({ kafka: { brokers: ['b1:9092', 'b2:9092', 'b3:9092'], auth: { kind: 'none' } } })
    expect(fileOf(config, 'skus', false)).toEqual({ file: 'skus.csv', form: { delimiter: ';' } })
    expect(['invoices', 'events'].map((name) => fileOf(config, name, true))).toEqual([undefined, undefined])
    expect(configOf({}).ingest).toEqual({})
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
