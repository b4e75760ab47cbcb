/** A broker for tests with a listener for each way of proving who one is; for IAM, an emulator of Amazon's check (see IamEmulator.java). */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installed, missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { authority, signed, type Certificate } from './certificates.ts'

export const user = { username: 'alice', password: 'pa55-of-alice' } as const
export const iam = { accessKey: 'AKIDOFTHETEST', secretKey: 'secret/of+the/test', region: 'eu-west-1' } as const

/** How long the broker lets a session of IAM and of SCRAM last before it wants to be convinced again. */
export const sessionMs = 1500

const listeners = ['TLS', 'MUTUAL', 'EXPIRED', 'OTHERNAME', 'SCRAM', 'SCRAMPLAIN', 'IAM'] as const
export type Listener = (typeof listeners)[number]

export type SecuredKafka = {
  readonly kafka: TestKafka
  readonly at: (listener: Listener) => readonly string[]
  readonly caFile: string
  readonly otherCaFile: string
  readonly client: Certificate
  readonly stranger: Certificate
}

/** Why it cannot run on this machine; undefined when it can. */
export function missingForSecuredKafka(): string | undefined {
  const has = (command: string, option: string) => spawnSync(command, [option], { stdio: 'ignore' }).status === 0
  return (
    missingForKafka() ??
    (has('openssl', 'version') ? undefined : 'there is no openssl') ??
    (has('javac', '-version') ? undefined : 'there is no javac')
  )
}

export async function startSecuredKafka(): Promise<SecuredKafka> {
  let ports!: Readonly<Record<Listener, number>>
  let files!: Pick<SecuredKafka, 'caFile' | 'otherCaFile' | 'client' | 'stranger'>
  const kafka = await startKafka(async (directory, port) => {
    ports = Object.fromEntries(await Promise.all(listeners.map(async (name) => [name, await freePort()]))) as Record<Listener, number>
    files = prepare(directory, port, ports)
  })
  return { kafka, ...files, at: (listener) => [`127.0.0.1:${ports[listener]}`] }
}

function prepare(directory: string, port: number, ports: Readonly<Record<Listener, number>>) {
  const ca = authority(directory, 'ours')
  const other = authority(directory, 'theirs')
  const server = signed(ca, 'server')
  const expired = signed(ca, 'expired', { until: '20200102000000Z' })
  const elsewhere = signed(ca, 'elsewhere', { names: 'DNS:elsewhere.example' })
  mkdirSync(join(directory, 'classes'), { recursive: true })
  execFileSync('javac', [
    '-cp',
    join(installed(), 'libs', '*'),
    '-d',
    join(directory, 'classes'),
    fileURLToPath(new URL('./IamEmulator.java', import.meta.url)),
  ])
  writeFileSync(
    join(directory, 'scram'),
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((one) => `${one}=[name=${user.username},password=${user.password}]\n`).join(''),
  )

  const all = [...listeners.map((name) => `${name}://127.0.0.1:${ports[name]}`), `PLAINTEXT://127.0.0.1:${port}`].join(',')
  const protocols = {
    TLS: 'SSL',
    MUTUAL: 'SSL',
    EXPIRED: 'SSL',
    OTHERNAME: 'SSL',
    SCRAM: 'SASL_SSL',
    SCRAMPLAIN: 'SASL_PLAINTEXT',
    IAM: 'SASL_SSL',
  }
  const of = (name: Listener, settings: Readonly<Record<string, string | number>>) =>
    Object.entries(settings).map(([key, value]) => `listener.name.${name.toLowerCase()}.${key}=${value}`)
  const tls = (name: Listener, { pemFile }: Certificate) => of(name, { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': pemFile })
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  writeFileSync(
    join(directory, 'more.properties'),
    [
      `listeners=${all},CONTROLLER://127.0.0.1:${port + 1}`,
      `advertised.listeners=${all}`,
      'inter.broker.listener.name=PLAINTEXT',
      `listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,${Object.entries(protocols)
        .map((pair) => pair.join(':'))
        .join(',')}`,
      ...tls('TLS', server),
      ...tls('MUTUAL', server),
      ...tls('EXPIRED', expired),
      ...tls('OTHERNAME', elsewhere),
      ...tls('SCRAM', server),
      ...tls('IAM', server),
      ...of('MUTUAL', { 'ssl.client.auth': 'required', 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': ca.certFile }),
      ...(['SCRAM', 'SCRAMPLAIN'] as const).flatMap((name) =>
        of(name, {
          'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512',
          'scram-sha-256.sasl.jaas.config': scram,
          'scram-sha-512.sasl.jaas.config': scram,
        }),
      ),
      ...of('SCRAM', { 'scram-sha-512.connections.max.reauth.ms': sessionMs }),
      ...of('IAM', {
        'sasl.enabled.mechanisms': 'OAUTHBEARER',
        'oauthbearer.sasl.jaas.config': 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;',
        'oauthbearer.sasl.server.callback.handler.class': 'IamEmulator',
        'oauthbearer.connections.max.reauth.ms': sessionMs,
      }),
      `emulated.iam.access.key=${iam.accessKey}`,
      `emulated.iam.secret.key=${iam.secretKey}`,
      `emulated.iam.region=${iam.region}`,
    ].join('\n') + '\n',
  )
  return { caFile: ca.certFile, otherCaFile: other.certFile, client: signed(ca, 'client'), stranger: signed(other, 'stranger') }
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo
        server.close(() => resolve(port))
      })
  })
