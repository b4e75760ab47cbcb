/** `ingest` as it is typed: what it cannot mean is refused in one line, and what comes by standard input is read once, to its end. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { done, freshFolder, json, start, tidemark } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'

const definitions = `import { decimal, featureSet, record, sum, text, timestamp } from 'tidemark'
const payment = record('payment', 'paid_at', {
  account_id: text({ bytes: 40 }), paid_at: timestamp({ nullable: false }), amount: decimal({ digits: 12, scale: 2 }),
})
export const v0 = featureSet({ name: 'account_payments', of: payment, per: 'account_id' }, { paid: sum('amount', { all: true }) })`

function folderWith(config: object): string {
  const folder = freshFolder()
  writeFileSync(join(folder, 'features.ts'), definitions)
  writeFileSync(join(folder, 'tidemark.json'), JSON.stringify({ features: 'features.ts', ...config }))
  return folder
}

const lines = [
  { account_id: 'A1', paid_at: '2026-01-01T10:00:00Z', amount: 12.5 },
  { account_id: 'A1', amount: 1 },
  { account_id: 'A2', paid_at: 1767261600000, amount: '7.25' },
]
const input = lines.map((one) => `${JSON.stringify(one)}\n`).join('')
const payments = { topic: 'payments', format: 'json' }

describe('ingest', { timeout: limitMs }, () => {
  it.each([
    ['no topics', {}, '', 1, 'nothing that the definitions need comes from a topic. Name one: "sources": {'],
    [
      'a topic that nobody needs',
      { sources: { other: { stdin: 'jsonl' } } },
      '',
      1,
      'nothing that the definitions need comes from a topic',
    ],
    [
      'no Kafka',
      { sources: { payment: payments } },
      '',
      1,
      'payment comes from the topic payments, and no Kafka is named that it could lie in',
    ],
    [
      'a Kafka that is not there',
      { sources: { payment: payments }, ingest: { kafka: { brokers: ['127.0.0.1:1'] } } },
      '',
      1,
      '127.0.0.1:1',
    ],
    [
      'an unknown table',
      { sources: { payment: payments } },
      '--accept-snapshot accounts',
      2,
      'accounts comes from no topic. Those that do: payment.',
    ],
    ['a source of no topic', {}, '--accept-snapshot accounts', 2, 'Those that do: none; see "sources" in the config.'],
    [
      'a topic of no transactions',
      { sources: { payment: payments } },
      '--accept-loss payments',
      2,
      'payments is no topic of transactions.',
    ],
    ['a topic that no source has', { sources: { payment: payments } }, '--accept-gap pay', 2, 'no source comes from the topic pay'],
  ])('is refused in one line where it cannot be what was meant: %s', async (_, config, words, code, said) => {
    const ended = await tidemark(folderWith(config), `ingest --until-caught-up ${words}`)
    expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(said)])
    // That Kafka is away is said while it is tried again.
    expect(
      ended.err
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('topics: ')),
    ).toHaveLength(1)
  })

  it('reads standard input to its end, keeps aside what it cannot read, and says so everywhere', async () => {
    const folder = folderWith({ sources: { payment: { stdin: 'jsonl' } } })
    await done(folder, 'apply account_payments@0 --yes')
    const first = await start(folder, 'ingest --until-caught-up', {}, input).ended
    expect(first).toMatchObject({ code: 0, out: 'payment: 3 messages of standard input, 1 cannot be read, see its dead letters\n' })
    const up = JSON.parse((await start(folder, 'up --until-caught-up --json', {}, input).ended).out)
    expect(up).toMatchObject({ written: 4, ingested: [{ source: 'payment', messages: 3, dead: 1, duplicates: 0, waits: null }] })
    const { fromTopics, inflow } = await json(folder, 'status')
    expect(fromTopics.sources).toMatchObject([{ source: 'payment', topic: 'standard input', messages: 6, dead: 2, lag: null }])
    expect(inflow).toMatchObject([{ topic: 'inflow.payment', rows: 4 }])
    const text = await done(folder, 'status')
    expect(text).toMatch(/payment +standard input +1 +6 +null +\S+ \S+ ago +0 +2/)
    expect(text.split('\n').every((line) => line.length <= 120)).toBe(true)
    const letters = await json(folder, 'topics inflow.payment.dead')
    expect(JSON.stringify(letters)).toContain('it has no paid_at')
    const rows = await json(folder, "query 'select account_id, paid from account_payments_latest order by account_id'")
    expect(rows).toEqual([
      { account_id: 'A1', paid: 25 },
      { account_id: 'A2', paid: 14.5 },
    ])
    // What has come by standard input is of no file.
    const produced = await tidemark(folder, 'produce')
    expect([produced.code, produced.err]).toEqual([2, expect.stringContaining('payment comes from standard input. Run: tidemark ingest')])
  })
})
