/**
 * The door to kafkajs: its connections with TLS, SASL and version negotiation, its encoders for the requests that are not hot, and its group
 * membership. Nothing else imports it. Its public producer and consumer cannot do what a log needs: they build objects for every record and
 * know no manual assignment of partitions.
 */
import { createRequire } from 'node:module'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Answers } from './kafka-answers.ts'
import type { Credentials } from './kafka-auth.ts'

const require = createRequire(import.meta.url)

/** What our own encoders were written against and tested equal to. */
const knownVersion = '2.2.4'
export const isKnownKafkajs = (version = (require('kafkajs/package.json') as { readonly version: string }).version): boolean => version === knownVersion

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

export type Api = { readonly name: string; readonly key: number; readonly version: number; readonly timeoutMs?: number }

type Protocol = { readonly request: object; readonly response: { decode(payload: Buffer): Promise<unknown> } }
type Entry = { readonly resolve: (answer: { readonly payload: Buffer }) => void; readonly reject: (error: Error) => void }

/** The parts of kafkajs that are used, as they are in the known version. */
type Queue = { pending: unknown[]; scheduleCheckPendingRequests(): void; push(request: object): void }
type Connection = {
  readonly socket?: Socket
  readonly requestQueue: Queue
  isConnected(): boolean
  isAuthenticated(): boolean
  authenticate(): Promise<void>
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
const { createLogger, LEVELS } = require('kafkajs/src/loggers') as { readonly createLogger: (options: object) => object; readonly LEVELS: { readonly WARN: number } }
const { errorCodes } = require('kafkajs/src/protocol/error') as { readonly errorCodes: readonly { readonly code: number; readonly type: string; readonly message: string }[] }
const { Kafka, CompressionCodecs } = require('kafkajs') as { readonly Kafka: new (options: object) => { consumer(options: object): Member }; readonly CompressionCodecs: { [codec: number]: unknown } }

// With nothing waiting there is nothing to schedule; kafkajs would start a timer for a moment in the past, about which Node prints a warning.
const { scheduleCheckPendingRequests } = RequestQueue.prototype
RequestQueue.prototype.scheduleCheckPendingRequests = function (this: Queue) {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this)
}

/** What a code of the protocol means, in kafkajs's words. */
export const meaningOf = (code: number) => errorCodes.find((one) => one.code === code)

export async function openLink({ clientId, connectTimeoutMs, requestTimeoutMs, ssl, sasl, log }: ClientSettings, { host, port }: Address): Promise<Link> {
  const logger = createLogger({ level: LEVELS.WARN, logCreator: logCreator(log) })
  const pool = new ConnectionPool({
    host, port, clientId, ssl: ssl ?? null, sasl: sasl ?? null, logger, socketFactory, connectionTimeout: connectTimeoutMs, requestTimeout: requestTimeoutMs,
  })
  const broker = new Broker({ connectionPool: pool, logger, allowAutoTopicCreation: false, authenticationTimeout: connectTimeoutMs })
  const address = `${host}:${port}`
  try {
    await broker.connect()
    const connection = await pool.getConnection()
    return link(address, broker, connection, clientId)
  } catch (error) {
    pool.pool.forEach(cut)
    throw error
  }
}

function link(address: string, broker: Broker, connection: Connection, clientId: string): Link {
  return {
    address,
    isOpen: () => connection.isConnected(),
    async ask<Name extends keyof Answers>(name: Name, details: object) {
      const { request, response } = broker.lookupRequest(apiKeys[name]!, requests[name]!)(details)
      const kept = { decode: response.decode, parse: (answer: unknown) => answer }
      return (await connection.send({ request, response: kept, logResponseError: false })) as Answers[Name]
    },
    async exchange({ name, key, version, timeoutMs }, body) {
      const range = broker.versions[key]
      if (!range || version < range.minVersion || version > range.maxVersion) throw new UnknownToBroker(`${address} does not know ${name} in version ${version}`)
      if (!connection.isAuthenticated()) await connection.authenticate()
      const correlationId = connection.nextCorrelationId()
      const header = requestHeader({ key, version, correlationId, clientId }, body.reduce((sum, { length }) => sum + length, 0))
      const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
        const entry: Entry & object = { apiKey: key, apiName: name, apiVersion: version, correlationId, resolve, reject } as Entry
        connection.requestQueue.push({ entry, expectResponse: true, requestTimeout: timeoutMs ?? null, sendRequest: () => write(connection, [header, ...body]) })
      })
      return payload
    },
    close: () => cut(connection),
  }
}

/** The broker is too old, or too new, for a request. */
export class UnknownToBroker extends Error {}

function requestHeader({ key, version, correlationId, clientId }: { readonly key: number; readonly version: number; readonly correlationId: number; readonly clientId: string }, bodySize: number): Buffer {
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

function write({ socket }: Connection, parts: readonly Uint8Array[]): void {
  if (!socket?.writable) throw Object.assign(new Error('the connection is closed'), { name: 'KafkaJSConnectionError' })
  socket.cork()
  for (const part of parts) socket.write(part)
  socket.uncork()
}

/** kafkajs would wait for answers that are under way; a follower's may take long. */
function cut(connection: Connection): void {
  connection.rejectRequests(Object.assign(new Error('the connection was closed'), { name: 'KafkaJSConnectionClosedError' }))
  void connection.disconnect().catch(() => undefined)
  connection.socket?.destroy()
}

/** As kafkajs makes them, without the delay that TCP puts before small packets: several requests are under way at once. */
const socketFactory = ({ host, port, ssl, onConnect }: Address & { readonly ssl: object | null; readonly onConnect: () => void }): Socket => {
  const socket = ssl ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect) : connectPlain({ host, port }, onConnect)
  socket.setKeepAlive(true, 60_000)
  socket.setNoDelay(true)
  return socket
}

const logCreator = (log: (line: string) => void) => () => ({ namespace, log: { message } }: { readonly namespace: string; readonly log: { readonly message: string } }) => log(`${namespace}: ${message}`)

/** A member of a consumer group. */
export type Member = {
  readonly events: { readonly GROUP_JOIN: string; readonly CRASH: string }
  on(event: string, heard: (event: { readonly payload: { readonly memberAssignment: { readonly [topic: string]: readonly number[] }; readonly error: Error; readonly restart: boolean } }) => void): void
  connect(): Promise<void>
  subscribe(options: { readonly topic: string }): Promise<void>
  run(options: { readonly autoCommit: boolean; readonly eachBatch: () => Promise<void> }): Promise<void>
  pause(topics: readonly { readonly topic: string }[]): void
  disconnect(): Promise<void>
}

export type GroupOptions = { readonly group: string; readonly sessionTimeoutMs: number; readonly heartbeatMs: number }

export function groupMember({ clientId, connectTimeoutMs, requestTimeoutMs, ssl, sasl, log }: ClientSettings, brokers: readonly string[], { group, sessionTimeoutMs, heartbeatMs }: GroupOptions): Member {
  const kafka = new Kafka({
    clientId, brokers, ...(ssl && { ssl }), ...(sasl && { sasl }), logLevel: LEVELS.WARN, logCreator: logCreator(log), socketFactory,
    connectionTimeout: connectTimeoutMs, requestTimeout: requestTimeoutMs, retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 10 },
  })
  // A short wait: kafkajs leaves a group only when its fetch in hand is over. Small fetches: what they bring is not looked at.
  return kafka.consumer({ groupId: group, sessionTimeout: sessionTimeoutMs, rebalanceTimeout: sessionTimeoutMs, heartbeatInterval: heartbeatMs, maxWaitTimeInMs: 100, maxBytesPerPartition: 1, maxBytes: 1, allowAutoTopicCreation: false })
}

/** kafkajs as it encodes and decodes itself, for when its version is not the known one. */
export const stock = { requests: requests as { readonly [name: string]: { protocol(options: { readonly version: number }): (details: object) => StockProtocol } }, codecs: CompressionCodecs }
export type StockProtocol = { readonly request: { encode(): Promise<{ readonly buffer: Buffer }> }; readonly response: { decode(payload: Buffer): Promise<unknown> } }
