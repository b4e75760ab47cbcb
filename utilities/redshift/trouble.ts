/** What can go wrong between this process and Redshift, and S3 on the way there: what to try again, and what to tell the person. */
import { awsRefusal, awsTrouble, reasonOf as awsReason } from '../s3/aws-trouble.ts'
import { OutOfReach, Problem } from '../values/problem.ts'
import { RolledBack, type Workgroup } from './api.ts'

/** Errors of the service that are gone by themselves sooner or later. */
const passingNames =
  /^(Active(Statements|Sessions|WaitingRequests)Exceeded|QueryTimeout|DatabaseConnection|(Batch)?ExecuteStatementException)/
/** Reasons why a transaction was undone that hold for a while. */
const passingTexts = [
  /\b1023\b|serializable isolation violation|could not serialize|deadlock detected|concurrent(ly)? (update|delete)|tuple concurrently/i,
  /database system is (starting up|shutting down|in recovery)|terminating connection|too many (connections|clients)|connection slots/i,
  /connection\b.*\b(closed|reset|lost|refused|timed out|terminated)|was stopped by a person or by a limit/i,
  /S3ServiceException:\s*(SlowDown|Internal|ServiceUnavailable|Reduce)|(S3|spectrum).*\b(timed out|timeout|503|500)\b/i,
]

/** How a person knows it. */
export const serviceName = ({ workgroup, cluster }: Workgroup) =>
  `Redshift (${workgroup === undefined ? `cluster ${cluster}` : `workgroup ${workgroup}`})`

const asAws = (error: unknown, place: Workgroup, service = serviceName(place)) =>
  awsTrouble(error, { service, region: place.region, part: 'warehouse' })

export function isPassing(error: unknown, place: Workgroup): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof RolledBack) return passingTexts.some((pattern) => pattern.test(error.message))
  return passingNames.test(error.name) || asAws(error, place) instanceof OutOfReach
}

/** One line that holds no secret. Which statement of ours it was says nothing to a person. */
export const reasonOf = (error: unknown): string =>
  awsReason(
    error instanceof RolledBack
      ? new Error(error.message.replace(/^Query #\d+ failed with /, '').replace(/^ERROR:\s*/, ''))
      : (error as Error),
  )

type Advice = readonly [pattern: RegExp, what: (place: Workgroup, reason: string) => string, todo: string]

const noDatabase: Advice = [
  /database "[^"]*" does not exist/i,
  ({ database }) => `there is no database ${database}`,
  'Check the database under the warehouse in the config file.',
]

/** By the name of the error and its message, `name: message`. */
const answers: readonly Advice[] = [
  noDatabase,
  [
    passingNames,
    (place, reason) => `${serviceName(place)} was too busy for long (${reason})`,
    'Run this again later, or look at what else runs there.',
  ],
  [/^NoSuchBucket/, () => 'the staging bucket does not exist', "Check the bucket under the warehouse's staging in the config file."],
  [
    /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint)/,
    ({ region }) => `the staging bucket is not in ${region}`,
    'Use a bucket in the region of the warehouse: COPY reads Parquet from there alone.',
  ],
  [
    /^(ResourceNotFound|Validation)\w*: (?!Query ).*(workgroup|cluster|endpoint|not found|n't exist)/i,
    (place) => `${serviceName(place)} does not exist in ${place.region}`,
    'Check the workgroup or cluster and the region under the warehouse in the config file.',
  ],
]

/** By what Redshift says of a statement. */
const refusals: readonly Advice[] = [
  noDatabase,
  [
    /\b1023\b|serializable isolation violation/i,
    (_, reason) => `other transactions of Redshift kept getting in the way (${reason})`,
    'Find what else writes to these tables, and run this again.',
  ],
  [
    /schema "[^"]*" does not exist/i,
    (_, reason) => `Redshift: ${reason}`,
    'Check the schema under the warehouse in the config file, or make it: CREATE SCHEMA.',
  ],
  [
    /permission denied|must be owner|not authorized|access ?denied|insufficient privilege/i,
    (_, reason) => `Redshift does not let this user do that (${reason})`,
    'Ask an administrator for the right; for a COPY, the role needs to read the staging bucket, and the user ASSUMEROLE on the role.',
  ],
  [
    /depend on (it|them)|other objects depend/i,
    (_, reason) => `Redshift: ${reason}`,
    'Drop the views that use it, run this again, and make them anew; made WITH NO SCHEMA BINDING they would not be in the way.',
  ],
  [/out of (disk|memory)|disk full/i, (_, reason) => `Redshift: ${reason}`, 'Free space in the warehouse, or give it more.'],
]

/** For a person: what the error means and what to do. What is not trouble of a service stays as it is. */
export function asProblem(error: unknown, place: Workgroup, service = serviceName(place)): unknown {
  if (!(error instanceof Error) || error instanceof Problem) return error
  const reason = reasonOf(error)
  const advised = (list: readonly Advice[], text: string) => {
    const advice = list.find(([pattern]) => pattern.test(text))
    return advice && new Problem(advice[1](place, reason), advice[2], { cause: error })
  }
  if (error instanceof RolledBack) {
    return (
      advised(refusals, error.message) ??
      new Problem(`Redshift refused: ${reason}`, 'Look at the statement in its query history.', { cause: error })
    )
  }
  const told = ('$metadata' in error && advised(answers, `${error.name}: ${error.message}`)) || asAws(error, place, service)
  return told === error && '$metadata' in error ? awsRefusal(error, { service, region: place.region, part: 'warehouse' }) : told
}
