/**
 * An event: a record made from another one and from the rows that it refers to, as they are when it comes. It is not changed afterwards,
 * and it may wait for rows that come later than it.
 */
import { Problem } from '../utilities/values/problem.ts'
import { joinsOf, type JoinWords } from './join-words.ts'
import { checkJoined } from './joined.ts'
import { namedBySource, type EventJoin, type EventOf, type Fields, type RecordSchema } from './record.ts'

export type EventSchema<F extends Fields = Fields> = RecordSchema<F> & { readonly event: EventOf }

type Options = { readonly optional?: boolean; readonly waitMs?: number }

export type EventSource<F extends Fields> = {
  readonly of: RecordSchema
  /** The field that says when it happened; that of the record, without it. */
  readonly at?: keyof F & string
  readonly join?: { readonly [name: string]: JoinWords<Options> }
}

export const isEvent = (record: RecordSchema): record is EventSchema => record.event !== undefined

/** Whether it is a record of any kind, where anything may have been given. */
export const isRecord = (of: unknown): of is RecordSchema =>
  typeof of === 'object' && of !== null && 'at' in of && typeof of.at === 'string' && 'fields' in of && !('key' in of)

/** Days in milliseconds: who waits for longer waits for what will not come. */
const longestWaitMs = 7 * 86_400_000

export function eventOf<F extends Fields>(name: string, source: EventSource<F>, fields: F): EventSchema<F> {
  const refuse = (what: string, todo: string): never => {
    throw new Problem(`fact ${name}: ${what}`, todo)
  }
  const { of, at = of.at } = source
  const join = joinsOf<Options, EventJoin>(name, source.join, ['optional', 'waitMs'], (one, { waitMs = 0 }) => ({ ...one, waitMs }))
  // Plain data, without what an author makes the record's next version by.
  const made: EventOf = { of: { name: of.name, at: of.at, fields: of.fields }, join }
  if (of.fact || of.event)
    refuse(`it is of ${of.name}, which is made from something else`, 'Make it of the record itself, with the joins of both.')
  const self: EventSchema<F> = { name, at, fields: namedBySource(fields) as F, event: made }
  checkEvent(self)
  const next = () =>
    refuse(
      `it is of a record, and what was written of it stays as it is: it has no next version`,
      'Make a fact under another name, and put a set over that.',
    )
  // Who writes definitions without a compiler hears why.
  return Object.defineProperties(self, { add: { value: next }, replace: { value: next } })
}

/** A Problem when it cannot be made. */
export function checkEvent(self: EventSchema): void {
  checkJoined(self)
  for (const [joined, { waitMs }] of Object.entries(self.event.join))
    if (!Number.isSafeInteger(waitMs) || waitMs < 0 || waitMs > longestWaitMs)
      throw new Problem(
        `fact ${self.name}: the join ${joined} waits for ${JSON.stringify(waitMs)} ms`,
        `Use a whole number from 0 to ${longestWaitMs}, which are seven days.`,
      )
}
