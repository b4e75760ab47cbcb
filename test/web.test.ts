/** The server as services meet it: addresses, who may ask, limits, what is hostile, and how it stops. */
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { openWeb, type Web, type WebOptions } from '../web/server.ts'
import { served } from './served-sets.ts'
import type { Printed } from './cli-run.ts'

const limits = { bodyBytes: 10_000, keys: 100, values: 300, requestsPerSecond: 100_000 }
const open: Web[] = []
const notes: string[] = []

afterEach(async () => {
  for (const web of open.splice(0)) await web.close()
  expect(notes.splice(0)).toEqual([])
})

async function start(options: Partial<WebOptions> = {}, serving = served()): Promise<string> {
  const note = (text: string) => void notes.push(text)
  const web = await openWeb(serving, { host: '127.0.0.1', port: 0, auth: { kind: 'none' }, limits, note, ...options })
  open.push(web)
  return web.address
}

type Got = { readonly status: number; readonly headers: Headers; readonly body: Printed }

async function get(url: string, init?: RequestInit): Promise<Got> {
  const answer = await fetch(url, init)
  const text = await answer.text()
  const isJson = answer.headers.get('content-type') === 'application/json'
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text }
}

const ask = (address: string, body: unknown = { features: ['by_state:ma50'], entities: { state: ['NM'] } }, init: RequestInit = {}) =>
  get(`${address}/get-online-features`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init })

/** Bytes as they stand, and all that comes back before the server ends the connection. */
function raw(address: string, bytes: string): Promise<string> {
  return new Promise((done, failed) => {
    let said = ''
    const socket = connect(Number(new URL(address).port), '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.setEncoding('utf8').on('data', (text: string) => (said += text))
    socket.once('error', failed).once('close', () => done(said))
  })
}

describe('an address', () => {
  it.each([
    [
      '/v1/sets/by_state@2/keys/NM',
      { set: 'by_state', key: { state: 'NM' }, _version: 2, features: { ma50: 5.25, ma100: 1e21, note: '' } },
    ],
    ['/v1/sets/by_state/keys/OLD', { _version: 0, features: { ma50: 9, ma100: null, note: null } }],
    ['/v1/sets/by_state/keys/', { key: { state: null }, features: { ma50: 0, ma100: 0, note: '∅' } }],
    ['/v1/sets/by_both/keys/7,a%2Cb', { key: { account: '7', branch: 'a,b' }, features: { worst: 0.1 } }],
    ['/v1/sets/by_both/keys/%5CN,x', { key: { account: null, branch: 'x' } }],
    ['/v1/sets/by_opened@v0/keys/2012-03-04T05:06:07.5Z', { _seq: 7, event_timestamp: '2012-01-01T00:00:00Z', _change: null }],
    [
      '/v1/sets/in_all/row',
      { key: {}, _modified_ts: '1767225600000000001', _known_ts: '1767225600000000000', features: { mean_score: 42 } },
    ],
    ['/v1/facts/sale/7,I%2F1', { fact: 'sale', key: { invoice_id: '7', item_id: 'I/1' }, _seq: 3, fields: { amount: 12.5 } }],
  ])('%s has the row', async (path, row) => expect(await get((await start()) + path)).toMatchObject({ status: 200, body: row }))

  it('of sets says what there is: versions, keys, features', async () => {
    const address = await start()
    const { body } = await get(`${address}/v1/sets`)
    expect(body.sets.map(({ name, promoted }: Printed) => [name, promoted]).slice(0, 4)).toEqual([
      ['by_state', 1],
      ['in_all', 0],
      ['by_both', 0],
      ['shadow', null],
    ])
    expect((await get(`${address}/v1/sets/by_state`)).body).toEqual(body.sets[0])
    expect((await get(`${address}/v1/sets/by_state@1`)).body).toEqual({
      set: 'by_state',
      version: 1,
      promoted: true,
      over: 'loan',
      key: [{ name: 'state', kind: 'text' }],
      features: [
        { name: 'ma50', kind: 'number', made: { op: 'mean', of: 'score', last: 50 } },
        { name: 'ma100', kind: 'number', made: { op: 'mean', of: 'score', last: 100 } },
        { name: 'note', kind: 'text', made: { op: 'first', of: 'branch', last: 5 } },
      ],
    })
  })

  it.each([
    [404, '/', 'there is no GET /'],
    [404, '/v1/sets/', 'there is no GET /v1/sets/'],
    [404, '/v1/sets/nope', 'there is no feature set nope'],
    [404, '/v1/sets/by_state@9', 'there is no by_state@9'],
    [404, '/v1/sets/by_state@x', '"by_state@x" names no feature set'],
    [404, '/v1/sets/by_state/keys/XX', 'by_state@1 has no row of state "XX"'],
    [400, '/v1/sets/by_state/row', 'the key of by_state has 1 parts, and 0 are given'],
    [400, '/v1/sets/in_all/keys/NM', 'the key of in_all has 0 parts, and 1 are given'],
    [400, '/v1/sets/by_both/keys/7', 'the key of by_both has 2 parts, and 1 are given'],
    [400, '/v1/sets/by_both/keys/seven,x', '"seven" is no value of account'],
    [400, '/v1/sets/%ff', '"%ff" in the address is not written as addresses are'],
    [404, '/v1/facts/nope/1', 'there is no fact nope'],
    [404, '/v1/facts/sale/1,2', 'sale has no fact invoice_id "1", item_id "2"'],
  ])('that is refused gets %i: %s', async (status, path, what) => {
    const got = await get((await start()) + path)
    expect(got).toMatchObject({ status, body: { error: { what } } })
    expect(got.body.error.todo).toMatch(/^[A-Z].*\.$/s)
  })

  it.each([
    ['DELETE', '/v1/sets', 'GET'],
    ['POST', '/healthz', 'GET'],
    ['GET', '/get-online-features', 'POST'],
  ])('does not take %s %s', async (method, path, allow) => {
    const { status, headers, body } = await get((await start()) + path, { method })
    expect([status, headers.get('allow'), body.error.what]).toEqual([405, allow, `${path} does not take ${method}`])
  })
})

describe('whoever looks after it', () => {
  it('hears how far it is until it has caught up', async () => {
    const serving = served()
    const address = await start({}, serving)
    serving.caughtUp = false
    serving.at = [
      { topic: 'outflow', partition: 0, next: 5, end: 5 },
      { topic: 'outflow', partition: 1, next: 70, end: 700 },
    ]
    expect(await get(`${address}/readyz`)).toMatchObject({
      status: 503,
      body: { error: { what: 'it catches up: outflow, partition 1, has 630 offsets to go' }, behind: [{ partition: 1, offsets: 630 }] },
    })
    expect((await get(`${address}/healthz`)).status).toBe(200)
    expect((await get(`${address}/metrics`)).body).toContain('tidemark_lag_offsets{topic="outflow",partition="1"} 630\n')
    for (const got of [await ask(address, { features: ['nope:ma50'] }), await get(`${address}/v1/sets/by_state/keys/XX`)])
      expect([got.status, got.headers.get('retry-after'), got.body.error.what.endsWith(', or it is not read yet')]).toEqual([
        503,
        '1',
        true,
      ])
    expect((await get(`${address}/nope`)).status).toBe(404)
    serving.caughtUp = true
    expect(await get(`${address}/readyz`)).toMatchObject({ status: 200, body: { status: 'ready' } })
  })

  it('has figures of requests, rows, versions and the process', async () => {
    const address = await start()
    await ask(address)
    await ask(address, { features: ['by_state:ma50', 'by_state@2:ma50'], entities: { state: ['NM', 'CA'] }, full_feature_names: true })
    await ask(address, '{')
    const { headers, body } = await get(`${address}/metrics`)
    expect(headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1.0.0/)
    for (const line of [
      'tidemark_requests_total{route="/get-online-features",status="200"} 2',
      'tidemark_requests_total{route="/get-online-features",status="400"} 1',
      'tidemark_request_duration_seconds_count{route="/get-online-features"} 3',
      'tidemark_rows_served_total{set="by_state",version="1"} 3',
      'tidemark_rows_served_total{set="by_state",version="2"} 1',
      'tidemark_promoted_version{set="by_state"} 1',
    ])
      expect(body.split('\n')).toContain(line)
    expect(body).toMatch(/^process_cpu_seconds_total [\d.]+$/m)
    expect(body).toMatch(/# EOF\n$/)
  })

  it('is told when the store fails, and so is who asked; of a bug, only the former hears more', async () => {
    const serving = served()
    const address = await start({}, serving)
    serving.read = () => {
      throw new Error('no such thing')
    }
    for (const got of [await ask(address), await get(`${address}/v1/sets`)])
      expect(got).toMatchObject({ status: 500, body: { error: { what: 'a bug of the server' } } })
    expect(notes.splice(0)).toEqual([expect.stringContaining('no such thing'), expect.stringContaining('no such thing')])
  })
})

describe('a token', () => {
  const auth = { kind: 'bearer', tokens: ['first-of-two', 'second'] } as const

  it.each([
    [200, 'Bearer first-of-two'],
    [200, 'bearer second'],
    [401, 'Bearer third'],
    [401, 'Bearer '],
    [401, 'Basic second'],
    [401, 'second'],
    [401, undefined],
  ])('gives %i for %s', async (status, authorization) => {
    const address = await start({ auth })
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    for (const got of [await ask(address, undefined, { headers }), await get(`${address}/v1/sets`, { headers })]) {
      expect(got.status).toBe(status)
      expect(got.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
      expect(JSON.stringify(got.body)).not.toContain('first-of-two')
    }
    for (const path of ['/metrics', '/openapi.json', '/nope'])
      expect((await get(address + path, { headers })).status === 401, path).toBe(status === 401)
    for (const path of ['/healthz', '/readyz']) expect((await get(address + path)).status, path).toBe(200)
  })
})

const head = 'POST /get-online-features HTTP/1.1\r\nhost: a\r\nconnection: close\r\n'

describe('a limit', () => {
  it('holds for what is in a body, whether it says how long it is or not', async () => {
    const address = await start()
    const long = JSON.stringify({ features: ['by_state:ma50'], entities: { state: ['x'.repeat(10_000)] } })
    expect(await ask(address, long)).toMatchObject({ status: 413, body: { error: { what: 'the body has more than 10000 bytes' } } })
    const chunks = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 12; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(1000)))
        controller.close()
      },
    })
    const init = { method: 'POST', body: chunks, duplex: 'half' } as RequestInit
    expect(await get(`${address}/get-online-features`, init)).toMatchObject({ status: 413 })
    expect((await ask(address)).status).toBe(200)
  })

  it('of requests a second is of each caller, and says when to ask again', async () => {
    const auth = { kind: 'bearer', tokens: ['one', 'two'] } as const
    const address = await start({ auth, limits: { ...limits, requestsPerSecond: 3 } })
    const status = async (token: string) => (await ask(address, undefined, { headers: { authorization: `Bearer ${token}` } })).status
    const statuses = await Promise.all(Array.from({ length: 9 }, async () => status('one')))
    expect(statuses.filter((one) => one === 429).length).toBeGreaterThan(2)
    expect(await status('two')).toBe(200)
    const late = await Promise.all(
      Array.from({ length: 9 }, async () => get(`${address}/v1/sets`, { headers: { authorization: 'Bearer one' } })),
    )
    const refused = late.find((one) => one.status === 429)!
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.body.error.what).toBe('more than 3 requests a second')
  })

  it.each([
    [
      '431 Request Header Fields Too Large',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      'the headers of the request are too long',
    ],
    ['400 Bad Request', 'what is this\r\n\r\n', 'this is no HTTP request'],
    ['415 Unsupported', `${head}content-encoding: gzip\r\ncontent-length: 0\r\n\r\n`, 'the body is compressed'],
    ['400 Bad Request', `${head}content-length: 2\r\n\r\n\xff\xff`, 'the body is not UTF-8'],
    ['404 Not Found', 'GET //[ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', ''],
  ])('is kept by %s', async (status, bytes, what) => {
    const said = await raw(await start(), bytes)
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status}`))
    expect(JSON.parse(said.slice(said.indexOf('\r\n\r\n'))).error.what).toContain(what)
  })

  it('of time cuts off whoever sends in drops', { timeout: 30_000 }, async () => {
    const said = await raw(await start(), 'POST /get-online-features HTTP/1.1\r\nhost: a\r\n')
    expect(said).toMatch(/^HTTP\/1.1 408 .*the request did not come whole in time/s)
  })
})

describe('the server', () => {
  it('takes one request behind the other on one connection, and both that are sent at once', async () => {
    const body = '{"features":["in_all:mean_score"]}'
    const post = (last: string) =>
      `POST /get-online-features HTTP/1.1\r\nhost: a\r\nconnection: ${last}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    const said = await raw(await start(), post('keep-alive') + post('close'))
    expect(said.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2)
  })

  it('answers those that are under way when it stops, and takes no more', async () => {
    const address = await start()
    const [web] = open.splice(0)
    const sent = request(`${address}/get-online-features`, { method: 'POST' })
    sent.write('{"features":["in_all:')
    await new Promise((next) => setTimeout(next, 50))
    const closed = web!.close()
    const answer = new Promise<IncomingMessage>((done, failed) => sent.once('response', done).once('error', failed))
    sent.end('mean_score"]}')
    expect((await answer).statusCode).toBe(200)
    await closed
    await expect(get(`${address}/healthz`)).rejects.toThrow('fetch failed')
  })

  it('says whose port it is that it cannot have, and what to do', async () => {
    const port = Number(new URL(await start()).port)
    await expect(start({ port })).rejects.toThrow(
      `port ${port} of 127.0.0.1 is taken. End what listens there, or choose another one with --port`,
    )
    await expect(start({ host: '192.0.2.1' })).rejects.toThrow('192.0.2.1 is no address of this machine')
  })

  it('never fails, whatever it is sent', async () => {
    const address = await start()
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((one) => JSON.stringify({ features: ['by_state:ma50'], entities: { state: one } })),
    )
    const path = fc.webPath().map((one) => `/v1/sets${one}`)
    await fc.assert(
      fc.asyncProperty(body, path, async (said, where) => {
        for (const got of [await ask(address, said), await get(address + where)]) {
          expect(got.status).toBeLessThan(500)
          if (got.status >= 400) expect(got.body).toEqual({ error: { what: expect.any(String), todo: expect.any(String) } })
        }
      }),
      { numRuns: 300 },
    )
  })
})
