/** The addresses on Hono: who asks is looked at, what is answered is counted, and whatever else is asked is refused in words. */
import { Hono } from 'hono'
import type { IncomingMessage } from 'node:http'
import { answerOfError, jsonAnswer, type Answer } from './answer.ts'
import { featuresPath } from './features-route.ts'
import { openApi } from './openapi.ts'
import { piecesOf } from './path.ts'
import { orNotYet, Refused } from './refused.ts'
import { routes, type Route, type Served } from './routes.ts'

export type App = { readonly fetch: (request: Request, env: { readonly incoming: IncomingMessage }) => Response | Promise<Response> }

type Parts = Served & { readonly admit: (request: IncomingMessage) => void; readonly note: (text: string) => void }

export function openApp({ admit, note, ...served }: Parts): App {
  const app = new Hono<{ Bindings: { readonly incoming: IncomingMessage } }>()
  const described: Route = {
    path: '/openapi.json',
    summary: 'This description',
    gives: { 200: 'Description' },
    answer: () => jsonAnswer(openApi([...routes, described])),
  }

  const send = (path: string, began: number, answer: Answer): Response => {
    served.metrics.answered(path, answer.status, performance.now() - began)
    return responseOf(answer)
  }
  const failed = (path: string, began: number, error: unknown) =>
    send(path, began, answerOfError(orNotYet(error, served.serving.isCaughtUp()), note))

  for (const { path, isOpen, answer } of [...routes, described]) {
    const pattern = path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'key' ? `:${name}{.*}` : `:${name}`))
    const variable = piecesOf(path).flatMap((piece, at) => (piece.startsWith('{') ? [at] : []))
    app.get(pattern, async ({ env }) => {
      const began = performance.now()
      try {
        if (!isOpen) admit(env.incoming)
        const pieces = piecesOf(pathOf(env.incoming.url))
        return send(
          path,
          began,
          await answer(
            served,
            variable.map((at) => pieces[at]!),
          ),
        )
      } catch (error) {
        return failed(path, began, error)
      }
    })
    app.all(pattern, ({ env }) => refuse(path, env.incoming, 405, 'GET'))
  }
  app.all(featuresPath, ({ env }) => refuse(featuresPath, env.incoming, 405, 'POST'))
  app.notFound(({ env }) => refuse('none', env.incoming, 404))
  app.onError((error) => failed('none', performance.now(), error))

  function refuse(path: string, request: IncomingMessage, status: 404 | 405, allow?: string): Response {
    const began = performance.now()
    try {
      admit(request)
      const asked = `${request.method} ${pathOf(request.url)}`
      throw allow === undefined
        ? new Refused(status, `there is no ${asked}`, 'See /openapi.json for all there is.')
        : new Refused(status, `${path} does not take ${request.method}`, `Use ${allow}.`, { allow })
    } catch (error) {
      return failed(path, began, error)
    }
  }
  return { fetch: (request, env) => app.fetch(request, env) }
}

export const responseOf = ({ status, type, text, headers }: Answer): Response =>
  new Response(text, { status, headers: { 'content-type': type, 'cache-control': 'no-store', ...headers } })

export const pathOf = (url = '/'): string => {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
