/** Proof of identity to Amazon MSK by IAM: a signed token that lives for minutes, from the credentials that AWS's own tools would use. */
import { Problem } from '../../values/problem.ts'

/** What a way of authentication is given: it sends bytes to the broker, and reads the broker's answer, each with its length in front. */
type Conversation = {
  readonly saslAuthenticate: <T>(step: {
    readonly request: { encode(): Buffer }
    readonly response: { decode(payload: Buffer): Buffer; parse(answer: Buffer): T }
  }) => Promise<T>
}

export type OAuthBearer = {
  readonly mechanism: 'oauthbearer'
  readonly authenticationProvider: (conversation: Conversation) => { authenticate(): Promise<void> }
}

/** Many connections may open at once; a token shared for longer would make their sessions shorter. */
const sharedForMs = 60_000

export function iamBearer(region: string): OAuthBearer {
  let latest: { readonly token: Promise<string>; readonly madeAtMs: number } | undefined
  const token = () => {
    if (!latest || performance.now() - latest.madeAtMs > sharedForMs) latest = { token: signedToken(region), madeAtMs: performance.now() }
    // Credentials may be there the next time.
    latest.token.catch(() => (latest = undefined))
    return latest.token
  }
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({ authenticate: async () => present(await token(), saslAuthenticate) }),
  }
}

/**
 * kafkajs's own way takes whatever comes back for a welcome; a refusal comes as an answer too, and has to be acknowledged to become an
 * error.
 */
async function present(token: string, saslAuthenticate: Conversation['saslAuthenticate']): Promise<void> {
  const response = { decode: (payload: Buffer) => payload.subarray(4), parse: (answer: Buffer) => answer }
  const say = (bytes: Buffer) => saslAuthenticate({ request: { encode: () => withLength(bytes) }, response })
  const refusal = await say(Buffer.from(`n,,\x01auth=Bearer ${token}\x01\x01`))
  if (refusal.length === 0) return
  await say(Buffer.of(1)).catch(() => undefined)
  throw authenticationTrouble(`the broker refused the IAM token: ${reasonIn(refusal)}`)
}

/** As kafkajs names it when the broker does not believe that we are who we say. */
const authenticationTrouble = (message: string) => Object.assign(new Error(message), { name: 'KafkaJSSASLAuthenticationError' })

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** The status alone: nobody knows what else a broker may put there. */
function reasonIn(refusal: Buffer): string {
  try {
    const { status } = JSON.parse(refusal.toString()) as { readonly status?: unknown }
    if (typeof status === 'string') return status
  } catch {
    // Not the form that the standard has; that it refuses is certain.
  }
  return 'no reason given'
}

async function signedToken(region: string): Promise<string> {
  const { generateAuthToken } = await import('aws-msk-iam-sasl-signer-js')
  try {
    return (await generateAuthToken({ region })).token
  } catch (error) {
    throw new Problem(
      `no AWS credentials were found for the log's auth by msk-iam (${(error as Error).message.replace(/\s+/g, ' ').replace(/\.$/, '')})`,
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is attached.',
      { cause: error },
    )
  }
}
