/**
 * TLS, SCRAM and IAM on a real broker: who is let in, what everybody else is told, sessions that end while work goes on, and secrets that
 * stay secret. For IAM the broker's check is an emulator, named in IamEmulator.java with what it cannot prove.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { credentials, type KafkaAuth } from '../../utilities/kafka/client/auth.ts'
import { openLink } from '../../utilities/kafka/client/client.ts'
import { openKafkaLog, type KafkaLogOptions } from '../../utilities/kafka/log.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { freshFolder, tidemark, until, type Ended } from '../cli-run.ts'
import { batchOf, numbered, textsOf } from '../contracts/messages.ts'
import { iam, missingForSecuredKafka, sessionMs, startSecuredKafka, user, type Listener, type SecuredKafka } from './secured.ts'
import { unlessMissing } from '../unless-missing.ts'
import { followInflow } from './stores.ts'

let secured: SecuredKafka

const scram = (mechanism: 'scram-sha-256' | 'scram-sha-512', password: string = user.password): KafkaAuth => ({
  kind: 'scram',
  username: user.username,
  password,
  mechanism,
  tls: { caFile: secured.caFile },
})
const tls = (more: object = {}): KafkaAuth => ({ kind: 'tls', caFile: secured.caFile, ...more })
const mskIam = (region: string = iam.region): KafkaAuth => ({ kind: 'msk-iam', region, caFile: secured.caFile })

async function enter(listener: Listener, auth: KafkaAuth, options: Partial<KafkaLogOptions> = {}) {
  const log = await openKafkaLog({ brokers: secured.at(listener), auth, openWithinMs: 500, ...options })
  onTestFinished(log.close)
  return log
}

/** What somebody who is not let in is told, and all that could be printed of it. */
async function refusal(listener: Listener, auth: KafkaAuth) {
  const lines: string[] = []
  const error = await enter(listener, auth, { note: (text) => void lines.push(text) }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(Problem)
  expect((error as Problem).message).not.toContain('\n')
  return { message: (error as Problem).message, everything: [inspect(error, { depth: 9, showHidden: true }), ...lines].join('\n') }
}

const withCredentials = (accessKey: string = iam.accessKey, secretKey: string = iam.secretKey) => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKey)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretKey)
}

const sockets = () => process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length

/** A token is the base64url form of a URL that begins so. */
const tokenBegins = Buffer.from('https://kafka.').toString('base64url').slice(0, -1)

function securityTests() {
  beforeAll(async () => void (secured = await startSecuredKafka()), 600_000)
  afterAll(() => secured?.kafka.stop())
  beforeEach(() => {
    // Nothing of this machine's own may count.
    for (const name of [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_PROFILE',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
    ])
      vi.stubEnv(name, undefined)
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nowhere/at/all')
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    return () => vi.unstubAllEnvs()
  })

  describe('is let in', () => {
    const ways: readonly (readonly [name: string, listener: Listener, auth: () => KafkaAuth])[] = [
      ['over TLS with the authority in a file', 'TLS', () => tls()],
      [
        'with a certificate where brokers want one',
        'MUTUAL',
        () => tls({ certFile: secured.client.certFile, keyFile: secured.client.keyFile }),
      ],
      ['by SCRAM-SHA-256 over TLS', 'SCRAM', () => scram('scram-sha-256')],
      ['by SCRAM-SHA-512 over TLS', 'SCRAM', () => scram('scram-sha-512')],
      [
        'by SCRAM without TLS, when the config says so',
        'SCRAMPLAIN',
        () => ({ kind: 'scram', ...user, mechanism: 'scram-sha-512', tls: false }),
      ],
      ['by IAM with a signed token', 'IAM', () => (withCredentials(), mskIam())],
    ]
    it.each(ways)('%s', async (name, listener, auth) => {
      const log = await enter(listener, auth(), { topicPrefix: `${name.replace(/\W+/g, '-')}.` })
      await log.create('inflow', 1)
      const writer = await log.writer('w')
      await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['a']) }] })
      expect((await Array.fromAsync(log.read('inflow', { partition: 0, from: 0 }))).flatMap(({ batch }) => textsOf(batch))).toEqual(['a'])
    })
  })

  describe('is told in one line what to do', () => {
    const ways: readonly (readonly [name: string, listener: Listener, auth: () => KafkaAuth, says: RegExp])[] = [
      [
        'whose system does not know the authority',
        'TLS',
        () => ({ kind: 'tls' }),
        /is signed by an authority that is not trusted here\. Name the authority's certificate/,
      ],
      [
        'who names another authority',
        'TLS',
        () => tls({ caFile: secured.otherCaFile }),
        /is signed by an authority that is not trusted here/,
      ],
      [
        'who meets an expired certificate',
        'EXPIRED',
        () => tls(),
        /the certificate of Kafka at \S+ has expired\. Whoever runs Kafka must renew it/,
      ],
      [
        'who meets a certificate for another name',
        'OTHERNAME',
        () => tls(),
        /the certificate of Kafka at \S+ is for another name\. Use in brokers the names/,
      ],
      [
        'who has no certificate where one is wanted',
        'MUTUAL',
        () => tls(),
        /wants a certificate of this process.* Name certFile and keyFile/,
      ],
      [
        'whose certificate nobody trusts',
        'MUTUAL',
        () => tls({ certFile: secured.stranger.certFile, keyFile: secured.stranger.keyFile }),
        /wants a certificate of this process/,
      ],
      [
        'who comes without TLS',
        'TLS',
        () => ({ kind: 'none' }),
        /does not answer .*A broker closes connections that are not of its kind, with TLS or without/,
      ],
      ['who comes without a user', 'SCRAM', () => tls(), /does not answer .*A broker closes connections that are not of its kind/],
      [
        'whose password is wrong (SCRAM-SHA-256)',
        'SCRAM',
        () => scram('scram-sha-256', 'not-it'),
        /did not accept the connection .*invalid credentials.*Check the log's auth/,
      ],
      [
        'whose password is wrong (SCRAM-SHA-512)',
        'SCRAM',
        () => scram('scram-sha-512', 'not-it'),
        /did not accept the connection .*invalid credentials.*Check the log's auth/,
      ],
      ['who has no AWS credentials', 'IAM', () => mskIam(), /no AWS credentials were found .*Set AWS_ACCESS_KEY_ID/],
      [
        'whose AWS key is another',
        'IAM',
        () => (withCredentials(iam.accessKey, 'not/it'), mskIam()),
        /the broker refused the IAM token: invalid_token.*Check the log's auth/,
      ],
      ['whose region is another', 'IAM', () => (withCredentials(), mskIam('us-east-1')), /the broker refused the IAM token/],
      [
        'who brings a password where a token is wanted',
        'IAM',
        () => scram('scram-sha-512'),
        /did not accept the connection .*does not support the requested SASL mechanism/,
      ],
    ]
    it.each(ways)('%s', async (_, listener, auth, says) => {
      const { message, everything } = await refusal(listener, auth())
      expect(message).toMatch(says)
      for (const secret of [user.password, 'not-it', 'not/it', iam.secretKey, tokenBegins]) expect(everything).not.toContain(secret)
    })

    it('whose files cannot be used', async () => {
      const { certFile } = secured.client
      expect((await refusal('TLS', tls({ caFile: '/nowhere/ca.crt' }))).message).toMatch(
        /^\/nowhere\/ca.crt, which the log's auth names, cannot be read/,
      )
      expect((await refusal('TLS', tls({ certFile, keyFile: secured.stranger.keyFile }))).message).toMatch(
        /key values mismatch\. Each file must be in PEM form, certificate and key belong together/,
      )
      expect((await refusal('TLS', tls({ certFile }))).message).toMatch(/names a certFile without a keyFile\. Name both/)
      const noPem = join(secured.kafka.directory, 'no.pem')
      writeFileSync(noPem, 'hello')
      expect((await refusal('TLS', tls({ caFile: noPem }))).message).toMatch(/is not in PEM form/)
    })
  })

  it.each(['SCRAM', 'IAM'] as const)(
    'sessions that end in the middle of work are begun anew, and nobody is told (%s)',
    async (listener) => {
      withCredentials()
      const before = sockets()
      const notes: string[] = []
      const options: Partial<KafkaLogOptions> = {
        topicPrefix: `session.${listener}.`,
        note: (text, kind) => void (kind === 'warning' && notes.push(text)),
      }
      const log = await enter(listener, listener === 'IAM' ? mskIam() : scram('scram-sha-512'), options)
      await log.create('inflow', 1)
      const { followed, stop, following } = followInflow(log)
      const writer = await log.writer('w')
      const untilMs = performance.now() + 3.5 * sessionMs
      let committed = 0
      for (; performance.now() < untilMs; committed++) {
        await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf([`${committed}`]) }] })
        // Now and then connections lie idle until their session is over.
        await sleep(committed % 20 === 19 ? 1.1 * sessionMs : 10)
      }
      while (followed.length < committed) await sleep(5)
      stop.abort()
      await following
      expect(followed).toEqual(numbered('', committed))
      expect(notes).toEqual([])
      await log.close()
      // No connection is left behind, of the sessions that ended neither: it would keep a process alive.
      await until(() => sockets() <= before)
    },
  )

  it('a connection counts as closed shortly before its session ends, and not sooner', async () => {
    const [host, port] = secured.at('SCRAM')[0]!.split(':') as [string, string]
    const link = await openLink(
      { ...credentials(scram('scram-sha-512')), clientId: 'test', connectTimeoutMs: 3000, requestTimeoutMs: 3000, log: () => {} },
      { host, port: Number(port) },
    )
    onTestFinished(link.close)
    expect(link.isOpen()).toBe(true)
    await link.ask('Metadata', { topics: [], allowAutoTopicCreation: false })
    await sleep(0.9 * sessionMs)
    expect(link.isOpen()).toBe(false)
    await expect(link.ask('Metadata', { topics: [], allowAutoTopicCreation: false })).rejects.toThrow('the session is over')
  })

  describe('no command prints a secret', () => {
    const env = () => ({
      THE_PASSWORD: user.password,
      AWS_ACCESS_KEY_ID: iam.accessKey,
      AWS_SECRET_ACCESS_KEY: iam.secretKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      NODE_DEBUG: '',
      KAFKAJS_DEBUG_PROTOCOL_BUFFERS: '0',
    })
    const secrets = [user.password, iam.secretKey, tokenBegins, 'X-Amz-Signature']
    const clean = ({ out, err }: Ended) => {
      for (const secret of secrets) expect(out + err).not.toContain(secret)
    }
    const config = (folder: string, name: string, log: object) => {
      writeFileSync(join(folder, name), JSON.stringify({ log: { kind: 'kafka', ...log } }))
      return `--config ${name}`
    }

    it.each(['SCRAM', 'IAM'] as const)(
      'when all is well, and when it is not (%s)',
      async (listener) => {
        const folder = freshFolder()
        const { caFile } = secured
        const topicPrefix = `cli.${listener}.`
        const byPassword = { kind: 'scram', username: user.username, password: '${THE_PASSWORD}', tls: { caFile } }
        const good = config(folder, 'good.json', {
          brokers: secured.at(listener),
          topicPrefix,
          auth: listener === 'IAM' ? { kind: 'msk-iam', region: iam.region, caFile } : byPassword,
        })
        const works = async (words: string) => {
          const ended = await tidemark(folder, words, env())
          expect(ended, words).toMatchObject({ code: 0 })
          clean(ended)
        }
        await works(`apply loan_risk@0 --yes ${good}`)
        for (const words of ['status', 'status --json', 'topics', 'topics --json']) await works(`${words} ${good}`)
        for (const words of ['doctor', 'doctor --json', 'doctor --deep --json']) clean(await tidemark(folder, `${words} ${good}`, env()))

        const refused = config(folder, 'refused.json', {
          brokers: secured.at(listener === 'IAM' ? 'SCRAM' : 'IAM'),
          auth: listener === 'IAM' ? { kind: 'msk-iam', region: iam.region, caFile } : byPassword,
        })
        for (const words of ['status', 'status --json', 'doctor --json', 'up']) {
          const ended = await tidemark(folder, `${words} ${refused}`, env())
          expect(ended.code, words).toBe(1)
          clean(ended)
        }
        // Written where it does not belong, it is not repeated.
        writeFileSync(
          join(folder, 'misplaced.json'),
          JSON.stringify({ log: { kind: 'kafka', brokers: ['127.0.0.1:1'], auth: { ...byPassword, mechanism: '${THE_PASSWORD}' } } }),
        )
        for (const words of ['status', 'status --json']) {
          const ended = await tidemark(folder, `${words} --config misplaced.json`, env())
          expect(ended.code).toBe(2)
          clean(ended)
        }
      },
      120_000,
    )
  })
}

unlessMissing(missingForSecuredKafka(), () => describe('security', { timeout: 60_000 }, securityTests))
