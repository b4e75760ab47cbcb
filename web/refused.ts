/** Why a request is not answered as it was meant, with the status that says so; its body is the same for all of them. */
import { Problem } from '../utilities/values/problem.ts'

export class Refused extends Problem {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, what: string, todo: string, headers: Readonly<Record<string, string>> = {}) {
    super(what, todo)
    this.status = status
    this.headers = headers
  }
}

/** What is not there, or not yet. */
export class Missing extends Refused {
  constructor(what: string, todo: string) {
    super(404, what, todo)
  }
}

/** While not all is read that was there when serving began, nobody can say that something is not there. */
export const orNotYet = (error: unknown, isCaughtUp: boolean): unknown =>
  error instanceof Missing && !isCaughtUp
    ? new Refused(503, `${error.what}, or it is not read yet`, 'Ask again when /readyz says that it is ready.', { 'retry-after': '1' })
    : error

export const refusedText = ({ what, todo }: Problem): string => JSON.stringify({ error: { what, todo } })
