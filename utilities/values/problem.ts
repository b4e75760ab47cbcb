/** What can go wrong through no fault of the code: says what happened and what the reader should do. A bug throws anything else. */
import { printable } from './printable.ts'

export class Problem extends Error {
  readonly what: string
  readonly todo: string
  readonly exitCode: 1 | 2

  constructor(what: string, todo: string, options: { readonly cause?: unknown; readonly usage?: boolean } = {}) {
    // Both tell names that users chose.
    super(printable(`${what}. ${todo}`), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.what = printable(what)
    this.todo = printable(todo)
    this.exitCode = options.usage ? 2 : 1
  }
}

/** No answer of a server, or none of use: it may come back without anybody's doing. */
export class OutOfReach extends Problem {}
