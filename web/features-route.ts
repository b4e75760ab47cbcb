/**
 * POST /get-online-features straight on Node's own request and response: the one address that is asked thousands of times a second
 * (bench/serve.ts).
 */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Serving } from '../serving/serving.ts'
import { answerOfError, jsonType, type Answer } from './answer.ts'
import { askedIn, type FeaturesAsked } from './asked.ts'
import { featuresText } from './features-text.ts'
import type { Limits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { isPlanStill, planOf, type Plan } from './plan.ts'
import { orNotYet, Refused } from './refused.ts'

export const featuresPath = '/get-online-features'

export type FeaturesRoute = (request: IncomingMessage, response: ServerResponse) => void

type Parts = {
  readonly serving: Pick<Serving, 'read' | 'isCaughtUp'>
  readonly metrics: Metrics
  readonly limits: Limits
  /** Refuses who may not ask. */
  readonly admit: (request: IncomingMessage) => void
  readonly note: (text: string) => void
}

export function featuresRoute({ serving, metrics, limits, admit, note }: Parts): FeaturesRoute {
  const planFor = openPlans()
  const answered = (body: string): string => {
    const asked = askedIn(body, limits)
    return serving.read((state) => {
      const plan = planFor(state, asked)
      return featuresText(state, plan, asked, (group, found) => {
        const { set, version } = plan.groups[group]!
        metrics.served(set, version, found)
      })
    })
  }
  return (request, response) => {
    const began = performance.now()
    const send = ({ status, type, text, headers }: Answer) => {
      // What is left of a body that nobody reads would be taken for the next request.
      const last = request.complete ? {} : { connection: 'close' }
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), ...headers, ...last })
      response.end(text)
      metrics.answered(featuresPath, status, performance.now() - began)
    }
    const fail = (error: unknown) => send(answerOfError(orNotYet(error, serving.isCaughtUp()), note))
    try {
      admit(request)
      readBody(request, limits.bodyBytes, fail, (body) => {
        let text: string
        try {
          text = answered(body)
        } catch (error) {
          return fail(error)
        }
        response.writeHead(200, ['content-type', jsonType, 'content-length', String(Buffer.byteLength(text))])
        response.end(text)
        metrics.answered(featuresPath, 200, performance.now() - began)
      })
    } catch (error) {
      fail(error)
    }
  }
}

/** Who asks for the same features again is spared looking for them again, until versions change. */
function openPlans() {
  const known = new Map<string, Plan>()
  return (state: Parameters<typeof planOf>[0], asked: FeaturesAsked): Plan => {
    const id = `${asked.fullNames ? 'full\n' : ''}${asked.features.join('\n')}\n\n${Object.keys(asked.entities).join('\n')}`
    const before = known.get(id)
    if (before !== undefined && isPlanStill(state, before)) return before
    const plan = planOf(state, asked)
    if (known.size >= 1000) known.clear()
    known.set(id, plan)
    return plan
  }
}

function readBody(request: IncomingMessage, most: number, fail: (error: unknown) => void, take: (text: string) => void): void {
  const tooLarge = () =>
    new Refused(
      413,
      `the body has more than ${most} bytes`,
      'Ask in several requests, or raise "bodyBytes" under "web": { "limits" } in the config.',
    )
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge()
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Refused(415, 'the body is compressed', 'Send it as it is, without Content-Encoding.')
  const chunks: Buffer[] = []
  let bytes = 0
  const onData = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= most) return void chunks.push(chunk)
    request.off('data', onData).off('end', onEnd).resume()
    fail(tooLarge())
  }
  const onEnd = () => {
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    if (isUtf8(body)) take(body.toString())
    else fail(new Refused(400, 'the body is not UTF-8', 'Send JSON in UTF-8.'))
  }
  request.on('data', onData).on('end', onEnd)
}
