/** Several records in one store: each has a stream of its own, and nothing that happens to one is felt in another. */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { registerInflow } from '../streams/inflow.ts'
import { encodeObject } from '../schemas/avro/generic.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { frameHeader } from '../schemas/wire.ts'
import { doctorFinds, done, freshFolder, json, start, tidemark, until, type Printed } from './cli-run.ts'
import { limitMs, only, withPorts } from './loan-folders.ts'
import { click, madeClicks, madePayments } from './three-records.ts'
import { expectOracle, own, tellThree, type Told } from './three-streams.ts'

describe('three records in one store', { timeout: limitMs }, () => {
  let folder: string
  let told: readonly Told[]
  /** Where each partition begins, by topic. */
  const firsts = async (): Promise<Record<string, readonly number[]>> => {
    const parts: readonly { readonly topic: string; readonly first: number }[] = await json(folder, `topics ${own}`)
    const topics = Map.groupBy(parts, ({ topic }) => topic)
    return Object.fromEntries([...topics].map(([topic, all]) => [topic, all.map(({ first }) => first)]))
  }

  beforeAll(async () => void ({ folder, told } = await tellThree({ kind: 'embedded' })), 2 * limitMs)

  it('each equal their oracle through three versions, applied while the others run, and a kill in between', () =>
    expectOracle(folder, told))

  it('have topics, partitions and what inflow holds by name, and no lag', async () => {
    expect(Object.entries(await firsts()).map(([topic, parts]) => [topic, parts.length])).toEqual([
      ['inflow', 1],
      ['inflow.click', 2],
      ['inflow.click.dead', 1],
      ['inflow.dead', 1],
      ['inflow.payment', 3],
      ['inflow.payment.dead', 1],
      ['outflow', 1],
      ['outflow.click', 2],
      ['outflow.payment', 3],
    ])
    const { streams, sets, inflow, readers }: Printed = await json(folder, `status ${own}`)
    expect(streams.map(({ record, sets, sink }: Printed) => [record, sets, sink.lag])).toEqual([
      ['rejected_loan', ['loan_risk'], 0],
      ['click', ['clicks'], 0],
      ['payment', ['payments'], 0],
    ])
    expect(sets.map(({ set, record, lag, dead, duplicates }: Printed) => [set, record, lag, dead, duplicates])).toEqual([
      ['clicks', 'click', 0, 0, 0],
      ['loan_risk', 'rejected_loan', 0, 0, 0],
      ['payments', 'payment', 0, 0, 0],
    ])
    const held = (name: string) =>
      inflow.filter(({ record }: Printed) => record === name).reduce((sum: number, { rows }: Printed) => sum + rows, 0)
    expect(told.map(({ record }) => held(record))).toEqual(told.map(({ records }) => records.length))
    expect(new Set(readers.map(({ topic }: Printed) => topic)).size).toBe(6)
    expect(await done(folder, `status ${own}`)).toContain('inflow.payment holds 1 000 records of payments.csv')
  })

  it('have to be told apart where a command could mean several of them', async () => {
    const names = 'rejected_loan, payment, click'
    const said = async (words: string) => {
      const { code, err } = await tidemark(folder, `${words} ${own}`)
      return [code, err.trim()]
    }
    expect(await said('produce --years 2007')).toEqual([
      2,
      `tidemark: the definitions have several records. Say which with --record: ${names}.`,
    ])
    expect(await said('produce --years 2007 --record visit')).toEqual([
      2,
      `tidemark: no stream is over a record visit. The definitions have ${names}.`,
    ])
    expect(await said('backfill --years 2007')).toEqual([
      2,
      'tidemark: the definitions have sets over several records. Name one of loan_risk, payments, clicks.',
    ])
    expect(await said('reset inflow.visit')).toEqual([
      2,
      expect.stringContaining('inflow.visit is no topic that reset knows the readers of'),
    ])
    expect(await said('reset inflow --record visit')).toEqual([
      2,
      'tidemark: there is no stream of visit. There are those of rejected_loan, click, payment.',
    ])
  })

  it('have a message of one on the stream of another kept as its dead letter, and the others know nothing of it', async () => {
    await withPorts(
      folder,
      async ({ log, registry }) => {
        const { id } = await registerInflow(registry, click)
        const one = encodeObject(inflowSchema(click), { seq: 1, day: 14_000, seconds: 1, visitor: 'k1' })
        const bytes = Buffer.concat([frameHeader(id), one])
        const batch = { bytes, ends: Uint32Array.of(bytes.length) }
        const writer = await log.writer('somebody else')
        await writer.commit({ append: [{ topic: 'inflow.payment', partition: 1, batch }] })
        await writer.close()
      },
      'own.json',
    )
    expect(await done(folder, `consume --until-caught-up ${own}`)).toBe('computed 0 records, 1 sent to inflow.payment.dead')
    const letters: Printed[] = await json(folder, `topics inflow.payment.dead ${own}`)
    expect(letters.map(({ fields }) => [fields.partition, fields.reason])).toEqual([[1, expect.stringContaining('click')]])
    const { sets }: Printed = await json(folder, `status ${own}`)
    expect(sets.map(({ set, dead }: Printed) => [set, dead])).toEqual([
      ['clicks', 0],
      ['loan_risk', 0],
      ['payments', 1],
    ])
  })

  it('are repaired and looked at by name, each with its own stream', async () => {
    expect(await done(folder, `repair payments ${own} --yes`)).toContain('payments')
    const checks = await doctorFinds(folder, own)
    for (const check of ['places in topics', 'unfinished work', 'rows', 'tables and views'])
      expect(checks[check]).toMatchObject({ state: 'ok' })
  })

  it('are reset one by one: what goes of one stream leaves the others as they are', async () => {
    const before = await firsts()
    expect(await done(folder, `reset inflow --record payment --yes ${own}`)).toContain('of inflow.payment (partition 0, ')
    await done(folder, `reset outflow.click --yes ${own}`)
    const after = await firsts()
    expect(Object.keys(after).filter((topic) => JSON.stringify(after[topic]) !== JSON.stringify(before[topic]))).toEqual([
      'inflow.payment',
      'outflow.click',
    ])
    await done(folder, `up --until-caught-up ${own}`)
    for (const [set, code] of [
      ['loan_risk', 0],
      ['clicks', 0],
      ['payments', 1],
    ] as const)
      expect(await tidemark(folder, `verify ${set}@2 ${own}`)).toMatchObject({ code })
  })
})

describe('a store with one record of its own', { timeout: limitMs }, () => {
  it('needs no name for its stream, and takes another record while it runs', async () => {
    const folder = freshFolder()
    const features = resolve('test/three-records.ts')
    writeFileSync(join(folder, 'payments.csv'), madePayments(60, 1).csv)
    writeFileSync(join(folder, 'clicks.csv'), madeClicks(60, 2).csv)
    writeFileSync(join(folder, 'payments.ts'), `export { payments0, payments1 } from '${features}'\n`)
    // Given with the command, they take the place of the config's.
    await done(folder, 'backfill payments --years 2007 --file payments.csv --features ./payments.ts --yes')
    expect(await done(folder, 'produce --years 2008-2012 --file payments.csv --features payments.ts')).toContain(
      'produced 50 records into inflow.payment',
    )
    await done(folder, 'up --until-caught-up')
    await done(folder, 'apply payments@1 --features payments.ts --yes')
    await done(folder, 'verify payments@1')
    expect(await done(folder, 'reset inflow --yes')).toContain('deleted 50 records of inflow.payment')
    expect(await tidemark(folder, 'plan --features payments')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--features payments is no file'),
    })

    const up = start(folder, 'up')
    await until(() => up.hasEnded() || up.err().includes('consume: payments@1 from record 61 on'))
    await done(folder, `apply clicks@0 --yes --features ${features}`)
    // Another file, which needs no --continue: each stream numbers its own.
    await done(folder, `produce --years 2007-2012 --record click --file clicks.csv --features ${features}`)
    // Consumer and sink come upon the stream while they run.
    await until(() => up.hasEnded() || Number(only(folder, 'SELECT count(*) FROM clicks')[0]) === 60)
    up.signal('SIGINT')
    expect(await up.ended).toMatchObject({ code: 0 })
    const { sets }: Printed = await json(folder, 'status')
    expect(sets.map(({ set, position, dead }: Printed) => [set, position, dead])).toEqual([
      ['clicks', 60, 0],
      ['payments', 60, 0],
    ])
    expect(await tidemark(folder, 'reset outflow')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Say whose with --record: click, payment.'),
    })
  })

  it('is told of a stream in the config that no record has', async () => {
    const folder = freshFolder()
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ streams: { pament: { partitions: 2 } } }))
    expect(await tidemark(folder, 'plan --config own.json')).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'the config has a stream pament, and the definitions no record of that name. Correct "streams" in the config: ',
      ),
    })
  })
})
