/** Answers on their way out: a status, a type, a text; and what becomes of an error. */
import { Problem } from '../utilities/values/problem.ts'
import { Refused, refusedText } from './refused.ts'

export type Answer = {
  readonly status: number
  readonly type: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

export const jsonType = 'application/json'

export const jsonAnswer = (value: unknown, status = 200): Answer => ({ status, type: jsonType, text: JSON.stringify(value), headers: {} })

/** What is no refusal is trouble of ours: of the store, in its words, or a bug, which callers hear nothing more of. */
export function answerOfError(error: unknown, note: (text: string) => void): Answer {
  if (error instanceof Refused) return { status: error.status, type: jsonType, text: refusedText(error), headers: error.headers }
  if (error instanceof Problem) {
    note(`a request could not be answered: ${error.message}`)
    return { status: 503, type: jsonType, text: refusedText(error), headers: {} }
  }
  note(`a bug of Tidemark's own: ${error instanceof Error ? error.stack : String(error)}`)
  return {
    status: 500,
    type: jsonType,
    text: refusedText(new Problem('a bug of the server', 'Its log has the details: please report them.')),
    headers: {},
  }
}
