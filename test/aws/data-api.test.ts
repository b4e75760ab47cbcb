/**
 * The Data API test server, driven by AWS's own client: what it takes and refuses as the service would, and every fault that can be asked
 * of it.
 */
import {
  BatchExecuteStatementCommand,
  CancelStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
} from '@aws-sdk/client-redshift-data'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../cli-run.ts'
import { noFaults } from './data-api-faults.ts'
import { reportedRates } from './data-api-rates.ts'
import { clientOf, talkTo, type Talk } from './data-api-talk.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'

let api: TestDataApi
let talk: Talk

beforeAll(async () => {
  api = await startDataApi({ pageRows: 3, mostResultBytes: 300_000, tokenMs: 500 })
  talk = talkTo(api)
})
afterEach(() => void Object.assign(api.faults, noFaults()))
afterAll(() => api.stop())

describe('statements', () => {
  it('of a batch are one transaction: when one fails nothing is left, and each says how it went', async () => {
    await talk.run('CREATE TABLE together (a INTEGER)')
    const failed = await talk.batch('INSERT INTO together VALUES (1)', 'INSERT INTO nowhere VALUES (1)', 'INSERT INTO together VALUES (2)')
    expect(failed).toMatchObject({ Status: 'FAILED', Error: 'Query #2 failed with ERROR: relation "nowhere" does not exist' })
    expect(failed.SubStatements!.map(({ Status }) => Status)).toEqual(['FINISHED', 'FAILED', 'ABORTED'])
    expect(await talk.rowsOf('SELECT count(*) FROM together')).toEqual([[0]])
    const done = await talk.batch('INSERT INTO together VALUES (1), (2)', 'SELECT a FROM together ORDER BY a')
    expect(done.SubStatements!.map(({ Id, HasResultSet, ResultRows }) => [Id, HasResultSet, ResultRows])).toEqual([
      [`${done.Id}:1`, false, 2],
      [`${done.Id}:2`, true, 2],
    ])
    expect((await talk.client.send(new GetStatementResultCommand({ Id: `${done.Id}:2` }))).Records).toEqual([
      [{ longValue: 1 }],
      [{ longValue: 2 }],
    ])
  })

  it('give typed values: integers, doubles and booleans as such, all else as text', async () => {
    const values =
      "7::bigint, 0.1::double precision, true, 1.50::decimal(5,2), '2008-02-29'::date, NULL::integer, ''::varchar, 1e-320::double precision"
    const [row] = await talk.rowsOf(`SELECT ${values}`)
    expect(row).toEqual([7, 0.1, true, '1.50', '2008-02-29', null, '', 1e-320])
    const done = await talk.single('SELECT 9007199254740993::bigint AS a, 9007199254740993::bigint::varchar AS b')
    const { ColumnMetadata, Records } = await talk.client.send(new GetStatementResultCommand({ Id: done.Id }))
    expect(ColumnMetadata!.map(({ name, typeName }) => [name, typeName])).toEqual([
      ['a', 'int8'],
      ['b', 'varchar'],
    ])
    // The client loses the last digit of the one; the other is exact.
    expect(Records).toEqual([[{ longValue: 9007199254740992 }, { stringValue: '9007199254740993' }]])
  })

  it('give their result a page at a time', async () => {
    await talk.run('CREATE TABLE seven (a INTEGER)', `INSERT INTO seven VALUES ${[1, 2, 3, 4, 5, 6, 7].map((a) => `(${a})`).join(', ')}`)
    expect(await talk.pagesOf('SELECT a FROM seven ORDER BY a')).toEqual([[[1], [2], [3]], [[4], [5], [6]], [[7]]])
  })

  it('take parameters where values stand, and nowhere else', async () => {
    const given = [
      { name: 'a', value: '41' },
      { name: 'b', value: "it's" },
    ]
    expect(await talk.rowsOf("SELECT :a::integer + 1, ':a', :b || :b", given)).toEqual([[42, ':a', "it'sit's"]])
    await expect(talk.single('SELECT :a', { Parameters: [{ name: 'a', value: '' }] })).rejects.toMatchObject({
      name: 'ValidationException',
    })
    await expect(talk.single('SELECT 1', { Parameters: [{ name: 'a', value: 'x' }] })).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })

  it('are not run again for a token that was seen, until it is forgotten', async () => {
    await talk.run('CREATE TABLE tokens (a INTEGER)')
    const sql = 'INSERT INTO tokens VALUES (1)'
    const [first, again] = [
      await talk.single(sql, { ClientToken: 'x'.repeat(64) }),
      await talk.single(sql, { ClientToken: 'x'.repeat(64) }),
    ]
    expect(again.Id).toBe(first.Id)
    expect(await talk.rowsOf('SELECT count(*) FROM tokens')).toEqual([[1]])
    await expect(talk.single('INSERT INTO tokens VALUES (2)', { ClientToken: 'x'.repeat(64) })).rejects.toMatchObject({
      name: 'ValidationException',
    })
    await expect(talk.single(sql, { ClientToken: 'x'.repeat(65) })).rejects.toMatchObject({ name: 'ValidationException' })
    await until(async () => (await talk.single(sql, { ClientToken: 'x'.repeat(64) })).Id !== first.Id, 100)
    expect(await talk.rowsOf('SELECT count(*) FROM tokens')).toEqual([[2]])
  })

  it('have limits', async () => {
    const refused = { name: 'ValidationException' }
    await expect(talk.single(`SELECT '${'x'.repeat(100_000)}'`)).rejects.toMatchObject(refused)
    await expect(talk.batch(...Array.from({ length: 41 }, () => 'SELECT 1'))).rejects.toMatchObject(refused)
    await expect(talk.client.send(new BatchExecuteStatementCommand({ ...talk.place, Sqls: [] }))).rejects.toMatchObject(refused)
    expect(await talk.failure(`SELECT repeat('x', 70000)`)).toMatch('the row of a result is 70000 bytes')
    const rows = Array.from({ length: 40 }, () => `('${'x'.repeat(2000)}')`)
    await talk.run('CREATE TABLE many (t VARCHAR(10000))', `INSERT INTO many VALUES ${rows.join(', ')}`)
    expect(await talk.failure('SELECT a.t FROM many AS a, many AS b WHERE length(b.t) > 0')).toMatch(
      /the result is \d+ bytes, more than 300000/,
    )
  })

  it('can be stopped', async () => {
    api.faults.queueMs = 60_000
    const { Id } = await talk.client.send(new ExecuteStatementCommand({ ...talk.place, Sql: 'SELECT 1' }))
    expect(await talk.client.send(new CancelStatementCommand({ Id }))).toMatchObject({ Status: true })
    expect(await talk.described(Id)).toMatchObject({ Status: 'ABORTED' })
    await expect(talk.client.send(new GetStatementResultCommand({ Id }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('faults', () => {
  it('undo the later of two transactions that cannot be put in an order, as error 1023', async () => {
    await talk.run('CREATE TABLE contended (a INTEGER)', 'INSERT INTO contended VALUES (1)')
    const other = await api.session()
    await other.run('BEGIN')
    await other.run('UPDATE contended SET a = 2')
    const blocked = talk.batch('UPDATE contended SET a = 3')
    const watching = await api.session()
    await until(async () => (await watching.run('SELECT 1 FROM pg_locks WHERE NOT granted')).rows.length > 0)
    await other.run('COMMIT')
    expect(await blocked).toMatchObject({
      Status: 'FAILED',
      Error: expect.stringMatching(/1023[\s\S]*Serializable isolation violation on table/),
    })
    await Promise.all([other.end(), watching.end()])
    expect(await talk.rowsOf('SELECT a FROM contended')).toEqual([[2]])
  })

  it('undo a statement when asked to, with 1023 or any other error', async () => {
    await talk.run('CREATE TABLE undone (a INTEGER)')
    api.faults.conflicts = 1
    expect(await talk.failure('INSERT INTO undone VALUES (1)')).toMatch('1023')
    api.faults.failures = { count: 1, text: 'permission denied for relation undone' }
    expect(await talk.failure('INSERT INTO undone VALUES (1)')).toBe('ERROR: permission denied for relation undone')
    await talk.run('INSERT INTO undone VALUES (1)')
    expect(await talk.rowsOf('SELECT count(*) FROM undone')).toEqual([[1]])
  })

  it('lose a request before it is run, or the reply after', async () => {
    const hasty = clientOf(api.endpoint, api.region, 1)
    await talk.run('CREATE TABLE lost (a INTEGER)')
    const insert = () => hasty.send(new ExecuteStatementCommand({ ...talk.place, Sql: 'INSERT INTO lost VALUES (1)', WaitTimeSeconds: 30 }))
    api.faults.loseRequests = 1
    await expect(insert()).rejects.toThrow()
    expect(await talk.rowsOf('SELECT count(*) FROM lost')).toEqual([[0]])
    api.faults.loseReplies = 1
    await expect(insert()).rejects.toThrow()
    expect(await talk.rowsOf('SELECT count(*) FROM lost')).toEqual([[1]])
  })

  it('throttle, which the client sits out, and refuse one statement too many, which it does not', async () => {
    api.faults.throttle = 2
    const before = api.calls['ExecuteStatement']!
    await talk.run('SELECT 1')
    expect(api.calls['ExecuteStatement']! - before).toBe(3)
    Object.assign(api.faults, { tooManyActive: 1 })
    await expect(talk.single('SELECT 1')).rejects.toMatchObject({ name: 'ActiveStatementsExceededException' })
    Object.assign(api.faults, { internalErrors: 1, only: ['DescribeStatement'] })
    await talk.run('SELECT 1')
    expect(api.faults.internalErrors).toBe(0)
  })

  it('are not needed for a caller who is too fast: beyond the rates of the account calls are throttled', async () => {
    const slow = await startDataApi({ rates: { ...reportedRates, ExecuteStatement: 5 } })
    try {
      const hasty = clientOf(slow.endpoint, slow.region, 1)
      const once = () => hasty.send(new ExecuteStatementCommand({ ...talk.place, Sql: 'SELECT 1' }))
      const many = await Promise.allSettled(Array.from({ length: 8 }, once))
      expect(many.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
      expect(many.flatMap((one) => (one.status === 'rejected' ? [one.reason.name] : []))).toEqual(Array(3).fill('ThrottlingException'))
    } finally {
      await slow.stop()
    }
  })

  const strangers = [
    ['expired', 'ExpiredTokenException'],
    ['denied', 'AccessDeniedException'],
    ['unknown', 'UnrecognizedClientException'],
  ] as const
  it.each(strangers)('turn %s callers away', async (credentials, name) => {
    Object.assign(api.faults, { credentials })
    await expect(talk.single('SELECT 1')).rejects.toMatchObject({ name })
  })

  it('do not have to be asked for where the place is wrong', async () => {
    const talkElsewhere = (place: { region?: string; workgroup?: string; database?: string }) =>
      talkTo({ ...api, ...place }).single('SELECT 1')
    await expect(talkElsewhere({ region: 'us-east-2' })).rejects.toMatchObject({ name: 'ValidationException' })
    await expect(talkElsewhere({ workgroup: 'other' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    await expect(talkElsewhere({ database: 'other' })).rejects.toThrow('database "other" does not exist')
    await expect(talk.described('11111111-1111-4111-8111-111111111111')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it('take the server away, and bring it back with all it knew', async () => {
    const { Id } = await talk.single('SELECT 1')
    await api.down()
    await expect(talk.described(Id)).rejects.toThrow('ECONNREFUSED')
    await api.up()
    expect(await talk.described(Id)).toMatchObject({ Status: 'FINISHED' })
  })
})

it('runs as a process of its own', async () => {
  const env = { ...process.env, TIDEMARK_DATABASE: 'loans' }
  const child = spawn(resolve('node_modules/.bin/node'), ['test/aws/data-api-main.ts'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const place = JSON.parse(line) as Pick<TestDataApi, 'endpoint' | 'region' | 'workgroup' | 'database'>
  expect(await talkTo(place).rowsOf('SELECT current_database()')).toEqual([['loans']])
  expect(await (await fetch(place.endpoint)).json()).toEqual({ ExecuteStatement: 1, DescribeStatement: 1, GetStatementResult: 1 })
  child.stdin.end()
  expect(await once(child, 'exit')).toEqual([0, null])
})
