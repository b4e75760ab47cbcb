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

export const refusedText = ({ what, todo }: Problem): string => JSON.stringify({ error: { what, todo } })
