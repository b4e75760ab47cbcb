/** `serve`: answers services over HTTP, out of a store of its own that follows what is computed. */
import type { Config } from '../config/shape.ts'
import { webOf } from '../config/web.ts'
import type { Ports } from '../config/wire.ts'
import { serveRows } from '../use-cases/serve.ts'
import { count } from '../utilities/values/digits.ts'
import { openWeb } from '../web/server.ts'
import type { CommandBody, Options } from './command.ts'
import type { Console } from './console.ts'
import { withPorts } from './stage.ts'

export const run: CommandBody = async ({ options, config, console, signal }) =>
  withPorts({ config, console }, [], async (ports) => {
    const requests = await answerServices(ports, webAsked(config, options), console, signal)
    console.result(`answered ${count(requests)} requests`, { requests })
  })

export type WebAsked = ReturnType<typeof webOf>

export const webAsked = (config: Config, options: Options): WebAsked =>
  webOf(config.web, { host: options['host'] as string | undefined, port: options['port'] as string | undefined })

/** Until it is told to stop; how many requests there were. */
export async function answerServices(ports: Ports, asked: WebAsked, console: Console, signal: AbortSignal): Promise<number> {
  const serving = await serveRows(ports, { note: console.note })
  try {
    const web = await openWeb(serving, { ...asked, note: console.note })
    try {
      if (!signal.aborted) console.note(`services are answered at ${web.address}`)
      await Promise.race([aborted(signal), serving.ended])
    } finally {
      await web.close()
    }
    return web.requests()
  } finally {
    await serving.close()
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => (signal.aborted ? done() : signal.addEventListener('abort', () => done(), { once: true })))
