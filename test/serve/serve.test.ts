/** `tidemark serve`, and `up`, as whoever runs them meets them: where they listen, what they say, how they end. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../cdc/connect.ts'
import { done, start, tidemark, until } from '../cli-run.ts'
import { serveStore, storeToServe } from './store.ts'

describe('a store is served', { timeout: 180_000 }, () => {
  let folder: string
  beforeAll(async () => {
    folder = await storeToServe()
  }, 180_000)

  const configured = (web: object) => {
    const file = join(folder, 'web.json')
    writeFileSync(file, JSON.stringify({ features: 'definitions.ts', source: { file: 'payments.csv' }, web }))
    return `--config ${file}`
  }
  const row = async (address: string, path: string, headers: Record<string, string> = {}) =>
    (await (await fetch(`${address}/v1/sets/${path}`, { headers })).json()) as unknown

  it('until it is told to stop, and then ends with 0', async () => {
    const { address, process } = await serveStore(folder, 'serve --port 0 --json')
    expect(await row(address, 'by_state/keys/NM')).toMatchObject({ _version: 2, _seq: 4, features: { ma2: 3, peak: 6 } })
    expect(await row(address, 'by_state@0/keys/NM')).toMatchObject({
      _version: 0,
      event_timestamp: '2020-01-04T00:00:00Z',
      features: { ma2: 4 },
    })
    process.signal('SIGTERM')
    const { code, out } = await process.ended
    expect([code, JSON.parse(out)]).toEqual([0, { requests: expect.any(Number) }])
  })

  it('to those who have a token, where others reach it, and nobody sees one', async () => {
    const web = { host: '0.0.0.0', port: 0, auth: { kind: 'bearer', tokens: ['${TEST_TOKEN}'] } }
    const process = start(folder, `serve ${configured(web)}`, { TEST_TOKEN: 'very-secret' })
    await until(() => process.err().includes('answered at') || process.hasEnded())
    const address = process.err().match(/http:\S+/)![0]
    await until(async () => (await fetch(`${address}/readyz`)).ok)
    expect(await row(address, 'by_state/keys/NM')).toMatchObject({ error: { what: 'this needs a token' } })
    expect(await row(address, 'by_state/keys/NM', { authorization: 'Bearer very-secret' })).toMatchObject({ _version: 2 })
    process.signal('SIGINT')
    const { code, err } = await process.ended
    expect(code).toBe(0)
    expect(err).not.toContain('very-secret')
  })

  it.each([
    ['serve --host 0.0.0.0', {}, '0.0.0.0 can be reached from other machines, and "web" in the config has no "auth". Give it one'],
    ['serve --port seven', {}, '--port seven is no port'],
    ['serve', { host: '10.0.0.1' }, 'web.host: 10.0.0.1 can be reached from other machines'],
    ['serve', { prot: 7070 }, 'has an unknown key web.prot'],
    ['status', { auth: { kind: 'bearer', tokens: ['two words'] } }, 'web.auth.tokens.0: a token is one word'],
  ])('or not, by %s where the config says %j', async (words, web, said) => {
    const ended = await tidemark(folder, `${words} ${configured(web)}`)
    expect(ended.err).toContain(said)
    expect(ended.err).not.toContain('two words')
    expect(ended.code).toBe(2)
  })

  it('by one process; whose port is taken says so, and up goes on unless it was asked for', async () => {
    const { address, process } = await serveStore(folder)
    const port = Number(new URL(address).port)
    expect(await tidemark(folder, 'serve --port 0')).toMatchObject({ code: 1, err: expect.stringContaining('serve is held by process') })
    const beside = start(folder, `up --port ${port}`)
    await until(() => beside.err().includes('services are not answered here: serve is held') || beside.hasEnded())
    await done(folder, 'produce')
    beside.signal('SIGTERM')
    expect(await beside.ended).toMatchObject({ code: 0 })

    const other = await storeToServe()
    const taken = `port ${port} of 127.0.0.1 is taken. End what listens there, or choose another one with --port`
    for (const words of [`serve --port ${port}`, `up --port ${port}`])
      expect(await tidemark(other, words), words).toMatchObject({ code: 1, err: expect.stringContaining(taken) })
    process.signal('SIGTERM')
    expect(await process.ended).toMatchObject({ code: 0 })
  })

  it('within up, which computes meanwhile: what it is asked changes with each record', async () => {
    const own = await storeToServe()
    const port = await freePort()
    const { address, process } = await serveStore(own, `up --port ${port}`)
    onTestFinished(() => process.signal('SIGKILL'))
    expect(await row(address, 'by_state/keys/TX')).toMatchObject({ error: { what: 'by_state@2 has no row of state "TX"' } })
    writeFileSync(join(own, 'more.csv'), 'day,state,branch,score\n2021-01-01,TX,d,8\n')
    await done(own, 'produce --file more.csv --continue')
    await until(async () => JSON.stringify(await row(address, 'by_state/keys/TX')).includes('"peak":8'))
    await done(own, 'rollback by_state --yes')
    await until(async () => JSON.stringify(await row(address, 'by_state/keys/TX')).includes('"_version":1'))
    process.signal('SIGTERM')
    const { code, err } = await process.ended
    expect([code, err.match(/answered at/g)]).toEqual([0, ['answered at']])
    const silent = start(own, 'up --no-serve')
    await until(() => silent.err().includes('consume') || silent.hasEnded())
    silent.signal('SIGTERM')
    expect((await silent.ended).err).not.toContain('services')
  })
})
