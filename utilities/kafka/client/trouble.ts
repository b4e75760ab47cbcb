/** What can go wrong between this process and Kafka, and what to do about it: try again, or tell the person. */
import { Problem } from '../../values/problem.ts'
import { meaningOf, UnknownToBroker } from './client.ts'
import { tlsTrouble } from './tls-trouble.ts'

/** The error codes of Kafka's protocol that mean something to us. */
export const code = {
  offsetOutOfRange: 1,
  unknownTopic: 3,
  leaderNotAvailable: 5,
  messageTooLarge: 10,
  illegalGeneration: 22,
  unknownMember: 25,
  rebalanceInProgress: 27,
  topicRefused: 29,
  groupRefused: 30,
  clusterRefused: 31,
  topicExists: 36,
  outOfOrderSequence: 45,
  invalidProducerEpoch: 47,
  invalidTransactionState: 48,
  invalidProducerIdMapping: 49,
  concurrentTransactions: 51,
  transactionRefused: 53,
  unknownProducerId: 59,
  memberIdRequired: 79,
  producerFenced: 90,
} as const

/**
 * Gone by itself sooner or later: leaders move, brokers restart and load what they coordinate, and hear of a new topic a little later than
 * others.
 */
const passing = new Set<number>([2, 3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 72, 74, 75, 78, 89])
const refused = new Set<number>([code.topicRefused, code.groupRefused, code.clusterRefused, code.transactionRefused])

/** A broker answered with an error. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: number

  constructor(errorCode: number, about: string) {
    super(`${about}: ${meaningOf(errorCode)?.type ?? `error ${errorCode}`}`)
    this.code = errorCode
  }
}

export function check(errorCode: number, about: string): void {
  if (errorCode !== 0) throw new Refusal(errorCode, about)
}

export const isRefusal = (error: unknown, ...codes: readonly number[]): error is Refusal =>
  error instanceof Refusal && codes.includes(error.code)

const connectionTroubles = ['KafkaJSConnectionError', 'KafkaJSConnectionClosedError', 'KafkaJSRequestTimeoutError', 'KafkaJSLockTimeout']

/** No answer: the request may have been carried out or not. */
export const isUnanswered = (error: unknown): boolean => error instanceof Error && connectionTroubles.includes(error.name)

export const isPassing = (error: unknown): boolean =>
  (isUnanswered(error) && tlsTrouble(error) === undefined) || (error instanceof Refusal && passing.has(error.code))

/**
 * After how long a person hears of it. That a transaction of the same name is still about to end is no trouble: new brokers take their time
 * with the first.
 */
export const worthSayingAfterMs = (error: unknown): number => (isRefusal(error, code.concurrentTransactions) ? 15_000 : 1000)

/** For a person: what the error means and what to do. What is not trouble of Kafka's stays as it is. */
export function asProblem(error: unknown, place: string): unknown {
  const problem = (what: string, todo: string) => new Problem(what, todo, { cause: error })
  if (error instanceof UnknownToBroker)
    return problem(`Kafka at ${place} speaks another version of its protocol (${error.message})`, 'Use Kafka 2.5 or newer.')
  const untrusted = tlsTrouble(error)
  if (untrusted) return problem(untrusted.what(place), untrusted.todo)
  if (isUnanswered(error)) {
    const todo =
      'Check the brokers in the config file and that they run and can be reached, or use the embedded log, which needs no server.'
    const closes = (error as Error).name === 'KafkaJSConnectionClosedError' || (error as { readonly code?: unknown }).code === 'ECONNRESET'
    const hint = "A broker closes connections that are not of its kind, with TLS or without, with a user or without: see the log's auth. "
    return problem(`Kafka at ${place} does not answer (${textOf(error)})`, closes ? hint + todo : todo)
  }
  if (error instanceof Error && error.name.startsWith('KafkaJS')) {
    return problem(
      `Kafka at ${place} did not accept the connection (${textOf(error)})`,
      "Check the log's auth in the config file: its kind, and the credentials.",
    )
  }
  if (!(error instanceof Refusal)) return error
  if (refused.has(error.code))
    return problem(
      `Kafka at ${place} does not let this user do that (${error.message})`,
      'Ask whoever runs it for the right, or use other credentials.',
    )
  const said = meaningOf(error.code)?.message ?? 'the broker gave no reason'
  if (passing.has(error.code))
    return problem(`Kafka at ${place} is not ready (${error.message})`, 'Look at the state of its brokers, and run this again.')
  return problem(`Kafka at ${place} refused: ${error.message} (${said})`, 'Look at the settings of the topic and at the log of the broker.')
}

const textOf = (error: unknown) =>
  (error as Error).message
    .replace(/\s+/g, ' ')
    .replace(/^Connection error: /, '')
    .replace(/\.$/, '')

/** One voice for all that goes on at once: a person is told once that Kafka is away, and once that it is back. */
export type Voice = { readonly complain: (who: object, error: unknown) => void; readonly settle: (who: object, well: boolean) => void }

export function voice(place: string, note: (text: string) => void): Voice {
  const complaining = new Set<object>()
  return {
    complain(who, error) {
      if (complaining.size === 0) {
        note(`Kafka at ${place} ${isUnanswered(error) ? 'does not answer' : 'is not ready'} (${textOf(error)}); trying again`)
      }
      complaining.add(who)
    },
    settle(who, well) {
      if (complaining.delete(who) && complaining.size === 0 && well) note(`Kafka at ${place} answers again`)
    },
  }
}
