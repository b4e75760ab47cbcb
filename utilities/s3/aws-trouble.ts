/** What can go wrong between this process and a service of AWS, in words that hold no secret; `OutOfReach` is what may pass by itself. */
import { OutOfReach, Problem } from '../values/problem.ts'

/** Which service, as a person knows it, and where it was looked for. */
export type AwsService = {
  readonly service: string
  readonly region: string
  /** The part of the config that names it. */
  readonly part: string
}

/** As the AWS clients throw them. */
type AwsError = Error & {
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number }
}

const unansweredCodes = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'EHOSTDOWN']
const busyNames =
  /^(Throttling|TooManyRequests|RequestLimitExceeded|SlowDown|RequestThrottled|BandwidthLimitExceeded|ProvisionedThroughputExceeded)/
const failingNames = /^(Internal|ServiceUnavailable|OperationTimeout|RequestTimeout$|503)/

export const isBusy = (error: unknown): boolean => error instanceof Error && (busyNames.test(error.name) || statusOf(error) === 429)

const isUnanswered = (error: AwsError) =>
  unansweredCodes.includes(error.code ?? '') || /^TimeoutError$/.test(error.name) || /socket hang up/.test(error.message)

const statusOf = ({ $metadata, $response }: AwsError) => $metadata?.httpStatusCode ?? $response?.statusCode ?? 0

type Advice = readonly [name: RegExp, what: (place: AwsService, reason: string) => string, todo: (place: AwsService) => string]

/** By the error's name and message, as `name: message`. */
const advices: readonly Advice[] = [
  [
    /^(CredentialsProviderError|TokenProviderError)|could not load credentials/i,
    () => 'no AWS credentials were found',
    () => 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them.',
  ],
  [
    /^ExpiredToken|^RequestExpired|token .*expired|session has expired/i,
    () => 'the AWS credentials have expired',
    () => 'Renew them (for a profile: aws sso login) and run this again.',
  ],
  [
    /^(RequestTimeTooSkewed)|signature (not yet current|expired)|is now earlier than|is later than/i,
    () => 'AWS does not accept requests of this machine, whose clock is wrong',
    () => 'Set the clock, for instance with NTP.',
  ],
  [
    /should be scoped to a valid region|^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|301)/i,
    ({ service, region }) => `${service} is not in the region ${region}`,
    ({ part }) => `Correct the region of the ${part} in the config file.`,
  ],
  [
    /^(UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|InvalidAccessKeyId|MissingAuthenticationToken)/,
    () => 'AWS does not accept these credentials',
    () => 'Check AWS_PROFILE or the access key, and the clock of this machine.',
  ],
  [
    /^(AccessDenied|Forbidden|NotAuthorized|UnauthorizedOperation|403)/,
    ({ service }, reason) => `AWS does not let these credentials do that with ${service} (${reason})`,
    () => 'Give them the policy in docs/aws.md.',
  ],
]

/** For a person: what the error means and what to do. What is no trouble of a service stays as it is. */
export function awsTrouble(error: unknown, place: AwsService): unknown {
  if (!(error instanceof Error) || error instanceof Problem) return error
  const known = error as AwsError
  const { service, region, part } = place
  const reason = reasonOf(known)
  const options = { cause: error }
  if (known.code === 'ENOTFOUND') {
    return new OutOfReach(
      `${service} has no address in the region ${region}`,
      `Check the region of the ${part} in the config file, and this machine's network.`,
      options,
    )
  }
  if (isUnanswered(known))
    return new OutOfReach(
      `${service} does not answer in ${region} (${reason})`,
      'Check the network, and AWS_ENDPOINT_URL_… if it is set.',
      options,
    )
  if (isBusy(error))
    return new OutOfReach(
      `${service} turned this process away for long: too many requests (${known.name})`,
      'Run this again later, or have the limit raised.',
      options,
    )
  const advice = advices.find(([pattern]) => pattern.test(`${known.name}: ${known.message}`))
  if (advice) return new Problem(advice[1](place, reason), advice[2](place), options)
  // What is no AWS answer at all, such as a proxy's page, fails to be read as one.
  if (statusOf(known) >= 500 || failingNames.test(known.name))
    return new OutOfReach(`${service} fails in ${region} (${reason})`, 'Run this again later.', options)
  return error
}

/** What AWS answered and nothing else explains. */
export const awsRefusal = (error: Error, { service, part }: AwsService): Problem =>
  new Problem(`${service} refused: ${reasonOf(error)}`, `Check the ${part} in the config file.`, { cause: error })

/**
 * One line, whatever the service put into its message. An account's number is no secret, but a key's id and a token are nobody's business.
 */
export function reasonOf({ name, message }: Error): string {
  const text = message
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '')
    .replace(/\b(AKIA|ASIA)[A-Z0-9]{8,}/g, '$1…')
    .replace(/([?&]X-Amz-[^=]+=)[^&\s]+/gi, '$1…')
    .replace(/\b(token|password|secret\w*)\s*[=:]\s*\S+/gi, '$1=…')
  const short = text.length > 300 ? `${text.slice(0, 300)} …` : text
  return /^(Error|TimeoutError|SyntaxError)$/.test(name) ? short || name : `${name}${short === '' || short === name ? '' : `: ${short}`}`
}
