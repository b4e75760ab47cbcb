/** Schema registries of others over HTTP: what they answer, and what becomes of it when they do not. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openSchemaRegistry } from '../../utilities/schema-registry/client.ts'
import type { SchemaRegistryAuth } from '../../utilities/schema-registry/door.ts'
import { OutOfReach, Problem } from '../../utilities/values/problem.ts'
import { skipWithout } from '../unless-missing.ts'
import { missingForApicurio, startApicurio } from './apicurio.ts'
import { schemaRegistryContract } from './contract.ts'
import { startEmulator, type Emulator, type Trouble } from './emulator.ts'

schemaRegistryContract('the emulator', startEmulator)
describe.skipIf(skipWithout(missingForApicurio()))('a real one', () => schemaRegistryContract('Apicurio', startApicurio))

const schema = '{"type":"record","name":"payment","fields":[]}'

describe('a schema registry that is asked', () => {
  let server: Emulator
  let id: string
  beforeAll(async () => {
    server = await startEmulator()
    id = await server.post('payments-value', { schema })
  })
  beforeEach(() => {
    server.trouble()
    server.wants(undefined)
    server.asked()
  })
  afterAll(() => server.stop())
  const open = (auth?: SchemaRegistryAuth, nowMs = () => 0) => openSchemaRegistry({ url: `${server.url}/`, auth }, { pace: 0, nowMs })
  const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
    const outcome = await work.catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(Problem)
    return outcome as Problem
  }

  it('is asked for a schema once, also by several at a time', async () => {
    const schemas = open()
    await Promise.all([schemas.find(id), schemas.find(id)])
    await schemas.find(id)
    expect(server.asked()).toEqual([`/schemas/ids/${id}`])
  })

  it('is believed for half a minute that a schema is not there, and asked again then', async () => {
    let now = 0
    const schemas = open(undefined, () => now)
    const next = String(Number(id) + 1)
    expect(await schemas.find(next)).toBeUndefined()
    await server.post('refunds-value', { schema })
    server.asked()
    now = 29_999
    expect(await schemas.find(next)).toBeUndefined()
    expect(server.asked()).toEqual([])
    now = 30_000
    expect(await schemas.find(next)).toBe(schema)
  })

  const passing: readonly (readonly [name: string, Trouble])[] = [
    ['a failure of its own', { status: 500 }],
    ['another one behind a proxy', { status: 502, body: '<html>Bad Gateway</html>' }],
    ['that it is busy', { status: 429, headers: { 'retry-after': '3600' } }],
    ['that it is starting', { status: 503 }],
    ['nothing, and hangs up', 'cut'],
  ]
  it.each(passing)('that answers %s is asked again', async (_, trouble) => {
    server.trouble(trouble, trouble, trouble)
    expect(await open().find(id)).toBe(schema)
    expect(server.asked()).toHaveLength(4)
  })

  it.each(passing)('that goes on to answer %s is a problem, and no schema that is not there', async (_, trouble) => {
    server.trouble(...Array<Trouble>(6).fill(trouble))
    const schemas = open()
    const problem = await problemOf(schemas.find(id))
    expect(problem.message).toContain(`the schema registry at ${server.url} does not answer`)
    expect(problem.todo).toContain('See that it runs')
    expect(problem).toBeInstanceOf(OutOfReach)
    expect(await schemas.find(id)).toBe(schema)
  })

  it('that is not there is a problem that says so', async () => {
    const gone = await startEmulator()
    await gone.stop()
    const { message } = await problemOf(openSchemaRegistry(gone, { pace: 0 }).find('1'))
    expect(message).toContain('does not answer (ECONNREFUSED)')
  })

  it.each([
    ['an HTML page', { status: 200, body: '<html>Log in</html>' }, 'its answer is not JSON'],
    ['something else', { status: 200, body: '{"hello":"there"}' }, 'it gives no schema'],
    ['that it will not', { status: 422, body: '{"error_code":42201,"message":"no"}' }, 'it says 422 when asked for /schemas/ids/1: no'],
  ] as const)('that answers %s is none', async (_, trouble, why) => {
    server.trouble(trouble)
    const { message } = await problemOf(open().find(id))
    expect(message).toContain(`what answers at ${server.url} is no schema registry: ${why}`)
  })

  it('lets in who has a name and a password, or a token', async () => {
    server.wants(`Basic ${Buffer.from('reader:p:w').toString('base64')}`)
    expect(await open({ kind: 'basic', username: 'reader', password: 'p:w' }).find(id)).toBe(schema)
    server.wants('Bearer abc.def')
    expect(await open({ kind: 'bearer', token: 'abc.def\n' }).find(id)).toBe(schema)
  })

  it.each([
    ['nobody', undefined, 'wants to know who asks (401)'],
    ['a wrong password', { kind: 'basic', username: 'reader', password: 'hunter2000' }, 'does not accept the basic credentials (401)'],
    ['a wrong token', { kind: 'bearer', token: 'token-of-mine' }, 'does not accept the bearer credentials (401)'],
  ] as const)('that does not let in %s says what to do, once, and tells no secret', async (_, auth, says) => {
    server.wants('Bearer another')
    const problem = await problemOf(open(auth).find(id))
    expect(problem.what).toContain(says)
    expect(problem.todo).toContain('"auth"')
    expect(problem).not.toBeInstanceOf(OutOfReach)
    expect(`${problem.message} ${String(problem.cause)} ${problem.stack}`).not.toMatch(/hunter2000|token-of-mine|aHVudGVy/)
    expect(server.asked()).toHaveLength(1)
  })

  it('that forbids a user to read says so', async () => {
    server.trouble({ status: 403 })
    expect((await problemOf(open().find(id))).message).toContain('does not let this user read schemas (403)')
  })

  it('never has its secrets told, whoever says them', async () => {
    server.trouble({ status: 400, body: '{"message":"what is Bearer token-of-mine"}' })
    expect((await problemOf(open({ kind: 'bearer', token: 'token-of-mine' }).find(id))).message).toContain('what is Bearer …')
    expect(() => openSchemaRegistry({ url: 'http://me:hunter2000@localhost' })).toThrow(/^(?!.*hunter2000).*names a user or a password/)
    expect(() => open({ kind: 'bearer', token: 'hunter2000\u0000' })).toThrow(/^(?!.*hunter2000).*the token of a schema registry/)
    expect(() => openSchemaRegistry({ url: 'registry:8081' })).toThrow('is no address')
  })

  it('whose schema refers to one that is not there has none', async () => {
    const references = [{ name: 'gone', subject: 'gone', version: 1 }]
    const lost = await server.post('lost-value', { schema: '"gone"', references })
    expect(await open().find(lost)).toBeUndefined()
  })
})
