/** Two live versions over records that differ: a record is one for both, whoever can read it, and nobody's loss is silent. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Reading } from '../streams/inflow.ts'
import { intakeOf } from '../streams/intake.ts'
import { done, freshFolder, json, tidemark, warehouseOf, type Printed } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'
import { readRows } from './oracle/compare.ts'

const own = '--config own.json'
const definitions = (more: string) => `import { date, featureSet, mean, number, record } from 'tidemark'
const day = date('Day', { nullable: false })
const payment = (name, nullable) => record(name, 'day', { day, amount: number('Amount', { nullable }), score: number('Score') })
const features = { ma2: mean('score', { last: 2 }) }
const first = (of) => featureSet({ name: 'payments', of }, features)
const over = (version, of) => ({ ...first(of), definition: { ...first(of).definition, version } })
export const v0 = over(0, payment('payment', false))
${more}`
/** An amount may be missing now: what is written so, the version before cannot read. */
const wider = `export const v1 = over(1, payment('payment', true))`
const renamed = `export const v1 = over(1, payment('refund', false))`

const csv =
  [
    'Day,Amount,Score',
    '2007-01-01,1,10',
    '2007-01-02,2,20',
    '2008-01-01,3,30',
    '2008-01-02,,40',
    '2008-01-03,5,50',
    '2009-01-01,6,60',
  ].join('\n') + '\n'

describe('two live versions over records that differ', { timeout: limitMs }, () => {
  let folder: string
  const define = (more: string) => writeFileSync(join(folder, 'features.ts'), definitions(more))
  const rows = (version: number) =>
    readRows(warehouseOf(folder), `SELECT _seq, ma2 FROM payments_v${version} ORDER BY _seq`).map((row) => row.map(Number))

  beforeAll(async () => {
    folder = freshFolder()
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'features.ts', source: { file: 'payments.csv' } }))
    writeFileSync(join(folder, 'payments.csv'), csv)
    define('')
    await done(folder, `apply payments@0 --yes ${own}`)
    await done(folder, `produce --years 2007 ${own}`)
    await done(folder, `up --until-caught-up ${own}`)
    define(wider)
    await done(folder, `apply payments@1 --shadow --yes ${own}`)
    await done(folder, `produce --years 2008 ${own}`)
    // A producer of before: both can read what it writes.
    define('')
    await done(folder, `produce --years 2009 ${own}`)
    define(wider)
    await done(folder, `up --until-caught-up ${own}`)
  }, limitMs)

  it('give each what it can read, and a dead letter in the name of the one that cannot, counted for it', async () => {
    expect(rows(0)).toEqual([
      [1, 10],
      [2, 15],
      [6, 40],
    ])
    expect(rows(1)).toEqual([
      [1, 10],
      [2, 15],
      [3, 25],
      [4, 35],
      [5, 45],
      [6, 55],
    ])
    const {
      sets: [set],
    }: Printed = await json(folder, `status ${own}`)
    expect(set).toMatchObject({ position: 6, duplicates: 0, dead: 3, lag: 0 })
    expect(Object.fromEntries(set.runs.map(({ version, unread }: Printed) => [version, unread]))).toEqual({ 0: 3, 1: undefined })
    const dead: Printed[] = await json(folder, `topics inflow.payment.dead ${own}`)
    expect(dead.map(({ fields }) => fields.reason)).toEqual(new Array(3).fill(expect.stringMatching(/^payments@0 cannot read it: /)))
  })

  it('are each proved by a replay that makes the same decisions', async () => {
    for (const version of [0, 1]) await done(folder, `verify payments@${version} ${own}`)
  })

  it('cannot be over records of different names: that version is refused', async () => {
    folder = freshFolder()
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'features.ts' }))
    define(renamed)
    await done(folder, `apply payments@0 --yes ${own}`)
    expect(await tidemark(folder, `apply payments@1 --yes ${own}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('payments@1 is over refund, and payments@0 over payment'),
    })
  })
})

describe('an intake', () => {
  /** Of messages with these numbers, those that this reader can read. */
  const reading = (seqs: readonly number[], readable: readonly boolean[]): Reading => {
    const rows = Int32Array.from(seqs.keys()).filter((index) => readable[index]!)
    return {
      batch: { bytes: new Uint8Array(), ends: new Uint32Array(seqs.length) },
      rows,
      columns: { count: rows.length, byName: new Map([['_seq', { kind: 'int', values: Float64Array.from(rows, (row) => seqs[row]!) }]]) },
      dead: [...seqs.keys()]
        .filter((index) => !readable[index])
        .map((index) => ({ index, offset: index, reason: 'no', bytes: new Uint8Array() })),
    }
  }

  it('is one decision for all readers: every message is new, a duplicate or dead, and each reader has the new ones that it can read', () => {
    const message = fc.record({ seq: fc.integer({ min: 1, max: 20 }), readable: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) })
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 30 }), fc.integer({ min: 0, max: 10 }), (messages, after) => {
        const seqs = messages.map(({ seq }) => seq)
        const readings = [0, 1, 2].map((reader) =>
          reading(
            seqs,
            messages.map(({ readable }) => readable[reader]!),
          ),
        )
        const { taken, records, firstSeq, lastSeq, duplicates, dead } = intakeOf(readings, after)

        let latest = after
        const fresh = messages.map(({ seq, readable }) => readable.some(Boolean) && seq > latest && ((latest = seq), true))
        expect(records).toBe(fresh.filter(Boolean).length)
        expect([records + duplicates + dead.length, lastSeq]).toEqual([messages.length, latest])
        expect(firstSeq).toBe(seqs.find((_, i) => fresh[i]) ?? after + 1)
        taken.forEach(({ rows, unread }, reader) => {
          expect([...rows]).toEqual([...seqs.keys()].filter((i) => fresh[i] && messages[i]!.readable[reader]))
          expect(unread.map(({ index }) => index)).toEqual([...seqs.keys()].filter((i) => fresh[i] && !messages[i]!.readable[reader]))
        })
      }),
    )
  })

  it('of one reader is the same whether its messages are marked one by one or, all being new, not at all', () => {
    const message = fc.record({ seq: fc.integer({ min: 1, max: 1000 }), readable: fc.boolean() })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.boolean(), fc.integer({ min: 0, max: 300 }), (messages, rising, after) => {
        const seqs = messages.map(({ seq }) => seq)
        const one = reading(
          rising ? seqs.toSorted((a, b) => a - b) : seqs,
          messages.map(({ readable }) => readable),
        )
        expect(intakeOf([one], after)).toEqual(intakeOf([one], after, [one]))
      }),
    )
  })
})
