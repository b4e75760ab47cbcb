/** How this process proves to Kafka who it is: from what stands in the config file to what a connection needs. */
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { Problem } from '../../values/problem.ts'
import { iamBearer, type OAuthBearer } from './iam.ts'

/** Files in PEM form; without any, the system's authorities are trusted. */
type TlsFiles = {
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly passphrase?: string | undefined
}

export type KafkaAuth =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'tls' } & TlsFiles)
  /** Over TLS, unless `tls` is false. */
  | {
      readonly kind: 'scram'
      readonly username: string
      readonly password: string
      readonly mechanism: 'scram-sha-256' | 'scram-sha-512'
      readonly tls?: boolean | TlsFiles
    }
  /** Always over TLS. */
  | { readonly kind: 'msk-iam'; readonly region: string; readonly caFile?: string | undefined }

type TlsOptions = { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly passphrase?: string }

export type Credentials = {
  readonly ssl?: TlsOptions
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string } | OAuthBearer
}

export function credentials(auth: KafkaAuth): Credentials {
  switch (auth.kind) {
    case 'none':
      return {}
    case 'tls':
      return { ssl: tlsOptions(auth) }
    case 'scram': {
      const { username, password, mechanism, tls = true } = auth
      return { ...(tls !== false && { ssl: tlsOptions(tls === true ? {} : tls) }), sasl: { mechanism, username, password } }
    }
    case 'msk-iam':
      return { ssl: tlsOptions({ caFile: auth.caFile }), sasl: iamBearer(auth.region) }
  }
}

function tlsOptions({ caFile, certFile, keyFile, passphrase }: TlsFiles): TlsOptions {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new Problem(
      `the log's auth names a ${certFile === undefined ? 'keyFile without a certFile' : 'certFile without a keyFile'}`,
      'Name both: the certificate that says who this is, and its private key.',
      { usage: true },
    )
  }
  const options = {
    ...(caFile !== undefined && { ca: pem(caFile) }),
    ...(certFile !== undefined && { cert: pem(certFile) }),
    ...(keyFile !== undefined && { key: pem(keyFile) }),
    ...(passphrase !== undefined && { passphrase }),
  }
  try {
    createSecureContext(options)
  } catch (error) {
    const files = [caFile, certFile, keyFile].filter((file) => file !== undefined).join(', ')
    throw new Problem(
      `TLS cannot use what the log's auth names (${files}): ${reasonOf(error as Error)}`,
      'Each file must be in PEM form, certificate and key belong together, and an encrypted key needs its passphrase.',
      { cause: error },
    )
  }
  return options
}

/** OpenSSL writes its whole path before the reason. */
const reasonOf = ({ message }: Error) => message.split(':').at(-1)!.trim()

function pem(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Problem(`${file}, which the log's auth names, cannot be read`, 'Check the path and that this user may read it.', {
      cause: error,
    })
  }
  // An authority that is no certificate would be left out without a word.
  if (!text.includes('-----BEGIN '))
    throw new Problem(`${file}, which the log's auth names, is not in PEM form`, 'Convert it, e.g. with openssl x509 -inform der -in FILE.')
  return text
}
