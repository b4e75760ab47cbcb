/** What Node's parser could not take for a request is answered as all else that is refused, and its connection ends. */
import type { Duplex } from 'node:stream'
import { jsonType } from './answer.ts'
import { Refused, refusedText } from './refused.ts'

const reasons: Readonly<Record<string, Refused>> = {
  HPE_HEADER_OVERFLOW: new Refused(431, 'the headers of the request are too long', 'Send less than 16 KiB of them.'),
  ERR_HTTP_REQUEST_TIMEOUT: new Refused(408, 'the request did not come whole in time', 'Send it at once.'),
}
const statusTexts: Readonly<Record<number, string>> = { 400: 'Bad Request', 408: 'Request Timeout', 431: 'Request Header Fields Too Large' }

const noRequest = new Refused(400, 'this is no HTTP request', 'Send HTTP/1.1.')

/** What could not be made a request of: an address that is none, for one. */
export const unreadable = (error: unknown): unknown => (error instanceof Error && error.name === 'RequestError' ? noRequest : error)

export function answerOfUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const refused = reasons[error.code ?? ''] ?? noRequest
  const text = refusedText(refused)
  const head = [
    `HTTP/1.1 ${refused.status} ${statusTexts[refused.status]}`,
    `content-type: ${jsonType}`,
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`)
}
