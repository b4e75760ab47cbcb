/**
 * An emulator of the Redshift Data API over a real PostgreSQL. It proves what is said to the API and what becomes of the rows; it cannot
 * prove Redshift's speed, its locking in detail, its sort keys, late-binding views, AVG of integers, roles of IAM, or any limit beyond
 * those named here.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Refused } from './data-api-answers.ts'
import { noFaults, strikes, type Faults } from './data-api-faults.ts'
import { answererOf } from './data-api-operations.ts'
import type { Rates } from './data-api-rates.ts'
import { openStatements } from './data-api-statements.ts'
import { startPostgres, type Session } from './postgres.ts'
import { makeCatalog } from './redshift-catalog.ts'
import type { Backslash } from './redshift-sql-words.ts'

export type DataApiOptions = {
  /** Without it, a free one. */
  readonly port?: number
  readonly region?: string
  readonly workgroup?: string
  readonly database?: string
  /** Where COPY reads; by default AWS_ENDPOINT_URL_S3. */
  readonly s3Endpoint?: string
  /** Rows in a page of a result. */
  readonly pageRows?: number
  readonly mostActive?: number
  readonly mostResultBytes?: number
  /** Calls a second that are not throttled; without it, as many as come. */
  readonly rates?: Rates
  /** How long a ClientToken is remembered. */
  readonly tokenMs?: number
  /** Whether a backslash in a literal escapes. */
  readonly backslash?: Backslash
}

export type TestDataApi = {
  readonly endpoint: string
  readonly region: string
  readonly workgroup: string
  readonly database: string
  /** For a process that is to use it. */
  readonly env: Readonly<Record<string, string>>
  /** To be changed at any time. */
  readonly faults: Faults
  /** Calls so far, by operation, refused ones too; a GET at the endpoint answers the same. */
  readonly calls: Readonly<Record<string, number>>
  /** The statements that are under way, those of a batch together. */
  running(): readonly (readonly string[])[]
  /** A session with the database itself, past the API and Redshift's SQL. */
  session(): Promise<Session>
  /** Stops answering: connections are refused. Statements under way run on. */
  down(): Promise<void>
  /** Answers again, at the same port, and knows every statement from before. */
  up(): Promise<void>
  stop(): Promise<void>
}

export async function startDataApi(options: DataApiOptions = {}): Promise<TestDataApi> {
  const { region = 'eu-west-1', workgroup = 'tidemark', database = 'dev', backslash = 'escape' } = options
  const { pageRows = 1000, mostActive = 500, mostResultBytes = 100 * 1024 * 1024, tokenMs = 8 * 3_600_000 } = options
  const postgres = await startPostgres()
  await makeCatalog(postgres, database, backslash)
  const faults = noFaults()
  const calls: Record<string, number> = {}
  const statements = openStatements({
    postgres,
    database,
    backslash,
    s3: options.s3Endpoint ?? process.env['AWS_ENDPOINT_URL_S3'],
    mostResultBytes,
  })
  const answer = answererOf({ statements, faults, region, workgroup, database, pageRows, mostActive, tokenMs, rates: options.rates ?? {} })

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    // For whoever started the server as a process of its own.
    if (request.method === 'GET') return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(calls))
    const operation = String(request.headers['x-amz-target'] ?? '').replace(/^RedshiftData\./, '')
    calls[operation] = (calls[operation] ?? 0) + 1
    if (strikes(faults, 'loseRequests', operation)) return void request.socket.destroy()
    if (faults.delayMs > 0) await new Promise((next) => setTimeout(next, faults.delayMs))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const answered = answer(operation, request.headers.authorization, Buffer.concat(chunks).toString())
    const { status, body } = await answered.then((body) => ({ status: 200, body }), refusal)
    if (strikes(faults, 'loseReplies', operation)) return void request.socket.destroy()
    const text = JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'content-length': Buffer.byteLength(text) }).end(text)
  }

  let server: Server | undefined
  const up = (port: number) =>
    new Promise<Server>((resolve, reject) => {
      const fresh = createServer((request, response) => void serve(request, response).catch(() => request.socket.destroy()))
      fresh.once('error', reject).listen(port, '127.0.0.1', () => resolve(fresh))
    })
  const down = async () => {
    const closing = server
    server = undefined
    if (!closing) return
    closing.closeAllConnections()
    await new Promise((done) => closing.close(done))
  }
  server = await up(options.port ?? 0)
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  return {
    endpoint,
    region,
    workgroup,
    database,
    faults,
    calls,
    down,
    env: { AWS_ENDPOINT_URL_REDSHIFT_DATA: endpoint, AWS_REGION: region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    running: () => statements.active().map(({ parts }) => parts.map(({ sql }) => sql)),
    session: () => postgres.session(database),
    up: async () => void (server ??= await up(port)),
    async stop() {
      await down()
      await postgres.stop()
      await statements.settle()
    },
  }
}

function refusal(error: unknown): { readonly status: number; readonly body: unknown } {
  if (error instanceof Refused)
    return { status: error.status, body: { __type: error.type, Message: error.message, message: error.message, ...error.more } }
  return { status: 500, body: { __type: 'InternalServerException', Message: String(error) } }
}
