/** The way to a schema registry over HTTP: who asks, how often, and what it means when no answer comes; secrets are never told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { OutOfReach, Problem } from '../values/problem.ts'

export type SchemaRegistryAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }

export type SchemaRegistryOptions = { readonly url: string; readonly auth?: SchemaRegistryAuth | undefined }

export interface Door {
  /** Where it is, for a person. */
  readonly place: string
  /** What it answers; undefined when it says that there is no such thing. A Problem when it cannot be asked. */
  ask(path: string): Promise<unknown>
  /** For an answer that no schema registry gives. */
  stranger(why: string): Problem
}

const answerWithinMs = 15_000
const pausesMs = [200, 500, 1_000, 2_000, 4_000]
const longestPauseMs = 10_000
const inConfig = 'the schemaRegistry of the source in the config file'

/** A failure that may pass by itself, and how long its sender wants to be left alone. */
type Passing = { readonly problem: OutOfReach; readonly pauseMs: number }
type Outcome = { readonly answer: unknown } | Passing

export function openDoor({ url, auth = { kind: 'none' } }: SchemaRegistryOptions, pace: number): Door {
  const base = baseOf(url)
  const place = `${base.origin}${base.pathname}`.replace(/\/$/, '')
  const headers = { accept: 'application/vnd.schemaregistry.v1+json, application/json', ...authorization(auth) }
  const secrets = [
    ...(auth.kind === 'basic' ? [auth.password] : []),
    ...Object.values(authorization(auth)).flatMap((one) => one.split(' ')),
  ]
  const quiet = (text: string) =>
    secrets.filter((one) => one.length > 3 && one !== 'Basic' && one !== 'Bearer').reduce((said, one) => said.replaceAll(one, '…'), text)

  const stranger = (why: string) =>
    new Problem(`what answers at ${place} is no schema registry: ${quiet(why)}`, `Check the url of ${inConfig}.`)
  const silent = (why: string, pauseMs = 0): Passing => ({
    problem: new OutOfReach(
      `the schema registry at ${place} does not answer (${quiet(why)})`,
      `See that it runs, or check the url of ${inConfig}.`,
    ),
    pauseMs,
  })

  const once = async (path: string): Promise<Outcome> => {
    let response: Response
    let text: string
    try {
      response = await fetch(`${place}${path}`, { headers, signal: AbortSignal.timeout(answerWithinMs) })
      text = await response.text()
    } catch (error) {
      return troubleOf(error, place, silent)
    }
    const { status } = response
    if (status === 401 || status === 403) throw refused(status, auth, place)
    if (status === 429 || status >= 500) return silent(`it says ${status}`, 1000 * (Number(response.headers.get('retry-after') ?? 0) || 0))
    const said = parsed(text)
    if (status === 404 && isNumbered(said)) return { answer: undefined }
    if (status === 404) return { answer: await orElsewhere(path) }
    if (!response.ok) throw stranger(`it says ${status} when asked for ${path}${messageOf(said)}`)
    if (said === undefined) throw stranger('its answer is not JSON')
    return { answer: said }
  }

  /** A bare 404 is also what a wrong path gives, and then every message would seem to have a schema that is not there. */
  const orElsewhere = async (path: string): Promise<undefined> => {
    if (path !== '/subjects' && Array.isArray(await ask('/subjects'))) return undefined
    throw stranger(`it says 404 when asked for ${path}`)
  }

  const ask = async (path: string): Promise<unknown> => {
    for (const pauseMs of pausesMs) {
      const outcome = await once(path)
      if ('answer' in outcome) return outcome.answer
      await sleep(Math.max(pauseMs * (0.5 + Math.random() / 2), Math.min(outcome.pauseMs, longestPauseMs)) * pace)
    }
    const last = await once(path)
    if ('answer' in last) return last.answer
    throw last.problem
  }

  return { place, ask, stranger }
}

function baseOf(url: string): URL {
  const base = URL.parse(url)
  if (!base || !/^https?:$/.test(base.protocol))
    throw new Problem('the url of a schema registry is no address', `Write one that begins with http:// or https:// into ${inConfig}.`)
  if (base.username !== '' || base.password !== '')
    throw new Problem(
      `the url of the schema registry at ${base.host} names a user or a password`,
      'Put them into "auth": { "kind": "basic", "username": …, "password": "${…}" } beside the url.',
    )
  return base
}

function authorization(auth: SchemaRegistryAuth): Readonly<Record<string, string>> {
  switch (auth.kind) {
    case 'none':
      return {}
    case 'basic':
      return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }
    case 'bearer': {
      // The client would tell the whole token in its complaint.
      const token = auth.token.trim()
      if (!/^[\x21-\x7e]+$/.test(token))
        throw new Problem('the token of a schema registry is empty, or has what no token has', `Check the token in ${inConfig}.`)
      return { authorization: `Bearer ${token}` }
    }
  }
}

function refused(status: number, auth: SchemaRegistryAuth, place: string): Problem {
  if (status === 403)
    return new Problem(`the schema registry at ${place} does not let this user read schemas (403)`, 'Give the user the right to read them.')
  return auth.kind === 'none'
    ? new Problem(`the schema registry at ${place} wants to know who asks (401)`, `Give "auth" in ${inConfig}: basic or bearer.`)
    : new Problem(`the schema registry at ${place} does not accept the ${auth.kind} credentials (401)`, `Check "auth" in ${inConfig}.`)
}

type Silent = (why: string) => Passing

/** Certificates do not become right by waiting. */
function troubleOf(error: unknown, place: string, silent: Silent): Passing {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  if (/CERT|SELF_SIGNED|ERR_TLS|ERR_SSL/.test(code ?? ''))
    throw new Problem(
      `the schema registry at ${place} cannot be trusted (${code})`,
      'Name the file with the authority that signed its certificate in NODE_EXTRA_CA_CERTS, or correct the url.',
      { cause: error },
    )
  return silent((error as Error).name === 'TimeoutError' ? `nothing within ${answerWithinMs / 1000} s` : (code ?? message))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Registries give their refusals numbers of five digits: 40403 is a schema that is not there. */
const isNumbered = (said: unknown) => {
  const { error_code: code } = (said ?? {}) as { readonly error_code?: unknown }
  return typeof code === 'number' && code > 40_400 && code < 40_500
}

function messageOf(said: unknown): string {
  const { message } = (said ?? {}) as { readonly message?: unknown }
  return typeof message === 'string' ? `: ${message.slice(0, 200)}` : ''
}
