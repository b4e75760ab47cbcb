/** The server: listens, hands requests to whom they are for, and stops when those that are being answered have been. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Serving } from '../serving/serving.ts'
import { Problem } from '../utilities/values/problem.ts'
import { answerOfError } from './answer.ts'
import { openApp, pathOf, responseOf } from './app.ts'
import { openAuth, openRate, type Auth } from './caller.ts'
import { featuresPath, featuresRoute } from './features-route.ts'
import { patience, stopWithinMs, type Limits } from './limits.ts'
import { openMetrics } from './metrics.ts'
import { answerOfUnreadable, unreadable } from './unreadable.ts'

export type WebOptions = {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly auth: Auth
  readonly limits: Limits
  /** Hears of what went wrong here. */
  readonly note: (text: string) => void
}

export interface Web {
  readonly address: string
  /** So far. */
  requests(): number
  /** Takes no more requests, and resolves when those under way are answered. */
  close(): Promise<void>
}

/** Nobody can have the port: it is another's, or not this user's to take. */
export class NoPort extends Problem {}

export async function openWeb(serving: Serving, { host, port, auth, limits, note }: WebOptions): Promise<Web> {
  const tokenOf = openAuth(auth)
  const takeOne = openRate(limits.requestsPerSecond)
  const admit = ({ headers, socket }: IncomingMessage) => {
    const token = tokenOf(headers.authorization)
    takeOne(auth.kind === 'none' ? (socket.remoteAddress ?? '') : String(token), performance.now())
  }
  const metrics = openMetrics(serving)
  const features = featuresRoute({ serving, metrics, limits, admit, note })
  const app = openApp({ serving, metrics, admit, note })
  const others = getRequestListener((request, env) => app.fetch(request, env as { readonly incoming: IncomingMessage }), {
    overrideGlobalObjects: false,
    errorHandler: (error) => responseOf(answerOfError(unreadable(error), note)),
  })
  let requests = 0
  const server = createServer(patience, (request: IncomingMessage, response: ServerResponse) => {
    requests++
    if (request.method === 'POST' && pathOf(request.url) === featuresPath) features(request, response)
    else void others(request, response)
  })
  server.on('clientError', answerOfUnreadable)
  await listening(server, host, port)
  return {
    address: addressOf(host, (server.address() as AddressInfo).port),
    requests: () => requests,
    close: () => stop(server),
  }
}

const addressOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) => failed(listenTrouble(error, host, port)))
    server.listen(port, host, () => done())
  })
}

function listenTrouble(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  const elsewhere = 'choose another one with --port, or "web": { "port": … } in the config.'
  switch (cause.code) {
    case 'EADDRINUSE':
      return new NoPort(`port ${port} of ${host} is taken`, `End what listens there, or ${elsewhere}`, { cause })
    case 'EACCES':
      return new NoPort(`port ${port} of ${host} is not for this user to listen at`, `Take one from 1024 on: ${elsewhere}`, { cause })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new NoPort(`${host} is no address of this machine`, 'Correct "web": { "host" } in the config, or --host.', { cause })
  }
  return cause
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()))
  // A connection whose answer has just gone out waits for the next request.
  const idle = setInterval(() => server.closeIdleConnections(), 20)
  const late = setTimeout(() => server.closeAllConnections(), stopWithinMs)
  await closed
  clearInterval(idle)
  clearTimeout(late)
}
