/**
 * The door to kafkajs: its connections with TLS, SASL and version negotiation, and its encoders for the requests that are not hot. Nothing
 * else imports it. Its public producer and consumer cannot do what a log needs: see docs/decisions/0005-kafka-client.md.
 */
import { createRequire } from 'node:module'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Answers } from './answers.ts'
import type { Credentials } from './auth.ts'

const require = createRequire(import.meta.url)

export type Address = { readonly host: string; readonly port: number }

export type ClientSettings = Credentials & {
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** A line of kafkajs's own log. */
  readonly log: (line: string) => void
}

/** A connection to one broker. */
export interface Link {
  readonly address: string
  isOpen(): boolean
  /** Sends a request as kafkajs encodes it; the answer is decoded, and its error codes are for the caller to look at. */
  ask<Name extends keyof Answers>(name: Name, details: object): Promise<Answers[Name]>
  /** Sends a request of our own encoding, and returns the bytes of the answer. */
  exchange(api: Api, body: readonly Uint8Array[]): Promise<Buffer>
  /** At once: whatever is under way fails. */
  close(): void
}

type Api = { readonly name: string; readonly key: number; readonly version: number; readonly timeoutMs?: number }

type Protocol = {
  readonly request: object
  readonly response: { decode(payload: Buffer): Promise<object> }
  readonly requestTimeout?: number
}
type Entry = { readonly resolve: (answer: { readonly payload: Buffer }) => void; readonly reject: (error: Error) => void }

/** The parts of kafkajs that are used, as they are in the version that package.json pins. */
type Queue = { pending: unknown[]; scheduleCheckPendingRequests(): void; push(request: object): void }
type Connection = {
  readonly socket?: Socket
  readonly requestQueue: Queue
  isConnected(): boolean
  isAuthenticated(): boolean
  readonly sessionLifetime: { toNumber(): number }
  reauthenticationThreshold: number
  nextCorrelationId(): number
  send(protocol: object): Promise<unknown>
  rejectRequests(error: Error): void
  disconnect(): Promise<unknown>
}
type ConnectionPool = { readonly pool: readonly Connection[]; getConnection(): Promise<Connection> }
type Broker = {
  readonly versions: { readonly [apiKey: number]: { readonly minVersion: number; readonly maxVersion: number } }
  connect(): Promise<void>
  lookupRequest(apiKey: number, definition: object): (details: object) => Protocol
}

const Broker = require('kafkajs/src/broker') as new (options: object) => Broker
const ConnectionPool = require('kafkajs/src/network/connectionPool') as new (options: object) => ConnectionPool
const RequestQueue = require('kafkajs/src/network/requestQueue') as { readonly prototype: Queue }
const { requests } = require('kafkajs/src/protocol/requests') as { readonly requests: { readonly [name: string]: object } }
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as { readonly [name: string]: number }
const { createLogger, LEVELS } = require('kafkajs/src/loggers') as {
  readonly createLogger: (options: object) => object
  readonly LEVELS: { readonly WARN: number }
}
const { errorCodes } = require('kafkajs/src/protocol/error') as {
  readonly errorCodes: readonly { readonly code: number; readonly type: string; readonly message: string }[]
}

/** What the members of a group tell each other. */
export const { MemberMetadata, MemberAssignment } = require('kafkajs/src/consumer/assignerProtocol') as {
  readonly MemberMetadata: {
    encode(metadata: { readonly version: number; readonly topics: readonly string[]; readonly userData?: Buffer }): Buffer
    decode(bytes: Buffer): { readonly userData: Buffer | null }
  }
  readonly MemberAssignment: {
    encode(assignment: { readonly version: number; readonly assignment: { readonly [topic: string]: readonly number[] } }): Buffer
    decode(bytes: Buffer): { readonly assignment: { readonly [topic: string]: readonly number[] } } | null
  }
}

// With nothing waiting there is nothing to schedule; kafkajs would start a timer for a moment in the past, about which Node prints a
// warning.
const { scheduleCheckPendingRequests } = RequestQueue.prototype
RequestQueue.prototype.scheduleCheckPendingRequests = function (this: Queue) {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this)
}

/** How long before its end a session counts as over, but never more than a part of it. */
const sessionReserveMs = 5000
const sessionReservePart = 0.25

/** What a code of the protocol means, in kafkajs's words. */
export const meaningOf = (code: number) => errorCodes.find((one) => one.code === code)

export async function openLink(settings: ClientSettings, { host, port }: Address): Promise<Link> {
  const { clientId, connectTimeoutMs, requestTimeoutMs, ssl, sasl, log } = settings
  const logger = createLogger({ level: LEVELS.WARN, logCreator: logCreator(log) })
  const pool = new ConnectionPool({
    host,
    port,
    clientId,
    ssl: ssl ?? null,
    sasl: sasl ?? null,
    logger,
    socketFactory,
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
  })
  const broker = new Broker({ connectionPool: pool, logger, allowAutoTopicCreation: false, authenticationTimeout: connectTimeoutMs })
  const address = `${host}:${port}`
  try {
    await broker.connect()
    const connection = await pool.getConnection()
    connection.reauthenticationThreshold = Math.min(sessionReserveMs, connection.sessionLifetime.toNumber() * sessionReservePart)
    return link(address, broker, connection, settings)
  } catch (error) {
    pool.pool.forEach(cut)
    throw error
  }
}

function link(address: string, broker: Broker, connection: Connection, { clientId, sasl }: ClientSettings): Link {
  // A session that is about to end is not prolonged, which would get in the way of answers still to come: whoever needs a connection opens
  // another.
  const inSession = () => sasl === undefined || connection.isAuthenticated()
  return {
    address,
    isOpen: () => connection.isConnected() && inSession(),
    async ask<Name extends keyof Answers>(name: Name, details: object) {
      if (!inSession()) throw sessionOver()
      const { request, response, requestTimeout } = broker.lookupRequest(apiKeys[name]!, requests[name]!)(details)
      // A broker that throttles does so by itself; kafkajs would hold requests back as well, and lose their order.
      const decode = async (payload: Buffer) => ({ ...(await response.decode(payload)), clientSideThrottleTime: null })
      const kept = { decode, parse: (answer: unknown) => answer }
      return (await connection.send({ request, response: kept, requestTimeout, logResponseError: false })) as Answers[Name]
    },
    async exchange({ name, key, version, timeoutMs }, body) {
      const range = broker.versions[key]
      if (!range || version < range.minVersion || version > range.maxVersion) {
        throw new UnknownToBroker(`${address} does not know ${name} in version ${version}`)
      }
      if (!inSession()) throw sessionOver()
      const correlationId = connection.nextCorrelationId()
      const header = requestHeader(
        { key, version, correlationId, clientId },
        body.reduce((sum, { length }) => sum + length, 0),
      )
      const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
        const entry: Entry & object = { apiKey: key, apiName: name, apiVersion: version, correlationId, resolve, reject } as Entry
        const sendRequest = () => write(connection, [header, ...body])
        connection.requestQueue.push({ entry, expectResponse: true, requestTimeout: timeoutMs ?? null, sendRequest })
      })
      return payload
    },
    close: () => cut(connection),
  }
}

/** The broker is too old, or too new, for a request. */
export class UnknownToBroker extends Error {}

type RequestHeader = { readonly key: number; readonly version: number; readonly correlationId: number; readonly clientId: string }

function requestHeader({ key, version, correlationId, clientId }: RequestHeader, bodySize: number): Buffer {
  const name = Buffer.from(clientId)
  const header = Buffer.allocUnsafe(14 + name.length)
  header.writeInt32BE(10 + name.length + bodySize, 0)
  header.writeInt16BE(key, 4)
  header.writeInt16BE(version, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(name.length, 12)
  header.set(name, 14)
  return header
}

const connectionTrouble = (name: string, message: string) => Object.assign(new Error(message), { name })
const sessionOver = () => connectionTrouble('KafkaJSConnectionClosedError', 'the session is over')

function write({ socket }: Connection, parts: readonly Uint8Array[]): void {
  if (!socket?.writable) throw connectionTrouble('KafkaJSConnectionError', 'the connection is closed')
  socket.cork()
  for (const part of parts) socket.write(part)
  socket.uncork()
}

/** kafkajs would wait for answers that are under way; a follower's may take long. */
function cut(connection: Connection): void {
  connection.rejectRequests(connectionTrouble('KafkaJSConnectionClosedError', 'the connection was closed'))
  void connection.disconnect().catch(() => undefined)
  connection.socket?.destroy()
}

/** As kafkajs makes them, without the delay that TCP puts before small packets: several requests are under way at once. */
const socketFactory = ({
  host,
  port,
  ssl,
  onConnect,
}: Address & { readonly ssl: object | null; readonly onConnect: () => void }): Socket => {
  const servername = isIP(host) === 0 && { servername: host }
  const socket = ssl ? connectTls({ host, port, ...servername, ...ssl }, onConnect) : connectPlain({ host, port }, onConnect)
  socket.setKeepAlive(true, 60_000)
  socket.setNoDelay(true)
  return socket
}

type LogEntry = { readonly namespace: string; readonly log: { readonly message: string } }
const logCreator = (log: (line: string) => void) => () => (entry: LogEntry) => log(`${entry.namespace}: ${entry.log.message}`)
