/**
 * An emulator of a schema registry with Confluent's API, for what a real one cannot be made to do: to fail, to be slow, to ask who is
 * there. It cannot prove that real ones refuse with the same words, nor how they behave behind proxies.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Posted, TestSchemas } from './contract.ts'

type Kept = Posted & { readonly id: number; readonly subject: string; readonly version: number }

export type Trouble = { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } | 'cut'

export type Emulator = TestSchemas & {
  /** What the next requests get instead of an answer. */
  trouble(...next: readonly Trouble[]): void
  /** Only who sends this header hears anything. */
  wants(authorization: string | undefined): void
  /** Paths asked for since the last call. */
  asked(): readonly string[]
}

export async function startEmulator(): Promise<Emulator> {
  const kept: Kept[] = []
  const troubles: Trouble[] = []
  let paths: string[] = []
  let wanted: string | undefined

  const answer = (request: IncomingMessage, body: string): { readonly status: number; readonly said: unknown } => {
    const { pathname } = new URL(request.url!, 'http://localhost')
    const [, subjectOfPost] = /^\/subjects\/([^/]+)\/versions$/.exec(pathname) ?? []
    if (request.method === 'POST' && subjectOfPost !== undefined) {
      const subject = decodeURIComponent(subjectOfPost)
      const version = kept.filter((one) => one.subject === subject).length + 1
      kept.push({ ...(JSON.parse(body) as Posted), id: kept.length + 1, subject, version })
      return { status: 200, said: { id: kept.length } }
    }
    if (pathname === '/subjects') return { status: 200, said: [...new Set(kept.map(({ subject }) => subject))] }
    const [, id] = /^\/schemas\/ids\/(\d+)$/.exec(pathname) ?? []
    if (id !== undefined) return schemaOr404(kept[Number(id) - 1], 40403, 'Schema not found', false)
    const [, subject, version] = /^\/subjects\/([^/]+)\/versions\/(\d+)$/.exec(pathname) ?? []
    const found = kept.find((one) => one.subject === decodeURIComponent(subject ?? '') && one.version === Number(version))
    if (subject !== undefined) return schemaOr404(found, 40402, 'Version not found', true)
    return { status: 404, said: { error_code: 404, message: 'HTTP 404 Not Found' } }
  }

  const respond = (request: IncomingMessage, response: ServerResponse, body: string) => {
    paths.push(request.url!)
    const trouble = troubles.shift()
    if (trouble === 'cut') return void request.socket.destroy()
    if (trouble) return void response.writeHead(trouble.status, trouble.headers).end(trouble.body ?? '')
    if (wanted !== undefined && request.headers.authorization !== wanted)
      return void response.writeHead(401).end(JSON.stringify({ error_code: 40101, message: `not ${request.headers.authorization}` }))
    const { status, said } = answer(request, body)
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(said))
  }

  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => respond(request, response, body))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    post: (subject, schema) => postedTo(url, subject, schema),
    trouble: (...next) => void troubles.splice(0, troubles.length, ...next),
    wants: (authorization) => void (wanted = authorization),
    asked() {
      const before = paths
      paths = []
      return before
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

function schemaOr404(one: Kept | undefined, code: number, message: string, whole: boolean) {
  if (!one) return { status: 404, said: { error_code: code, message } }
  const { id, subject, version, ...schema } = one
  return { status: 200, said: whole ? { id, subject, version, ...schema } : schema }
}

/** Registers it by the API itself. */
export async function postedTo(url: string, subject: string, schema: Posted): Promise<string> {
  const answer = await fetch(`${url}/subjects/${encodeURIComponent(subject)}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify(schema),
  })
  const said = (await answer.json()) as { readonly id?: number }
  if (said.id === undefined) throw new Error(`it was not registered: ${JSON.stringify(said)}`)
  return String(said.id)
}
