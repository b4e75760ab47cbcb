/** What a command is: words for the help, options, and a function that is loaded only when it runs. */
import type { Config } from '../config/shape.ts'
import type { Console } from './console.ts'

/** Option values as commander reads them from the words below. */
export type Options = { readonly [name: string]: string | boolean | undefined }

export type Context = {
  readonly args: readonly string[]
  readonly options: Options
  readonly config: Config
  readonly console: Console
  /** Aborted by Ctrl-C or a request to end: finish the batch in hand, save, leave. */
  readonly signal: AbortSignal
}

/** Exit code: 0 done, 1 a problem was found, 3 something would change (plan --exit-code). */
export type CommandBody = (context: Context) => Promise<number | void>

export type Command = {
  readonly name: string
  /** Arguments as commander writes them, e.g. '<set@version>'. */
  readonly args?: string
  readonly summary: string
  readonly example: string
  readonly options?: readonly (readonly [flags: string, description: string])[]
  /** Looks at data or works on with it: without data of its own it goes to the demo's. */
  readonly onExisting?: true | ((options: Options) => boolean)
  /** Tells a story of its own: the tidemark.json that lies there is not for it. */
  readonly tellsOwn?: true
  readonly load: () => Promise<{ readonly run: CommandBody }>
}
