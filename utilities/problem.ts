/** What can go wrong through no fault of the code: says what happened and what the reader should do. A bug throws anything else. */
export class Problem extends Error {
  readonly what: string
  readonly todo: string
  readonly exitCode: 1 | 2

  constructor(what: string, todo: string, options: { readonly cause?: unknown; readonly usage?: boolean } = {}) {
    super(`${what}. ${todo}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.what = what
    this.todo = todo
    this.exitCode = options.usage ? 2 : 1
  }
}
