/** What can be made to go wrong at the Data API test server, each for the next calls only. */

export type Credentials = 'good' | 'expired' | 'denied' | 'unknown'

export type Faults = {
  /** Answers ThrottlingException to so many calls. */
  throttle: number
  /** Destroys the connection of so many calls instead of reading them: nothing is run. */
  loseRequests: number
  /** Runs so many statements as asked, and destroys the connection instead of answering. */
  loseReplies: number
  /** Answers 500 to so many calls. */
  internalErrors: number
  /** Answers ActiveStatementsExceededException to so many submissions. */
  tooManyActive: number
  /** Rolls so many statements or batches that write rows back, as FAILED with Redshift's error 1023. */
  conflicts: number
  /** Only those with this text in them; empty: all. */
  conflictsIn: string
  /** Fails so many statements with the text. */
  failures: { count: number; text: string }
  /** Lets every call wait first. */
  delayMs: number
  /** Lets every statement wait before it starts. */
  queueMs: number
  /** As whom the caller counts, from now on. */
  credentials: Credentials
  /** Only these operations are hit by the counted faults; empty: all. */
  only: readonly string[]
}

export const noFaults = (): Faults => ({
  throttle: 0,
  loseRequests: 0,
  loseReplies: 0,
  internalErrors: 0,
  tooManyActive: 0,
  conflicts: 0,
  conflictsIn: '',
  failures: { count: 0, text: '' },
  delayMs: 0,
  queueMs: 0,
  credentials: 'good',
  only: [],
})

type Counted = 'throttle' | 'loseRequests' | 'loseReplies' | 'internalErrors' | 'tooManyActive' | 'conflicts'

/** Whether this fault strikes now; it is one less then. */
export function strikes(faults: Faults, fault: Counted, operation: string): boolean {
  if (faults[fault] === 0 || (faults.only.length > 0 && !faults.only.includes(operation))) return false
  faults[fault]--
  return true
}
