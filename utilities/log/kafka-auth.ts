/** How this process proves to Kafka who it is: from what stands in the config file to what a connection needs. */
import { readFileSync } from 'node:fs'
import { Problem } from '../problem.ts'

/** Files in PEM form; without any, the system's authorities are trusted. */
export type TlsFiles = { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string; readonly passphrase?: string }

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
  | { readonly kind: 'msk-iam'; readonly region: string }

type TlsOptions = { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly passphrase?: string }

export type Credentials = {
  readonly ssl?: TlsOptions
  readonly sasl?:
    | { readonly mechanism: string; readonly username: string; readonly password: string }
    | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ readonly value: string }> }
}

export async function credentials(auth: KafkaAuth): Promise<Credentials> {
  switch (auth.kind) {
    case 'none':
      return {}
    case 'tls':
      return { ssl: tlsOptions(auth) }
    case 'scram': {
      const { username, password, mechanism, tls = true } = auth
      return { ...(tls !== false && { ssl: tlsOptions(tls === true ? {} : tls) }), sasl: { mechanism, username, password } }
    }
    case 'msk-iam': {
      const { region } = auth
      const { generateAuthToken } = await iamSigner()
      return { ssl: {}, sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: (await generateAuthToken({ region })).token }) } }
    }
  }
}

const tlsOptions = ({ caFile, certFile, keyFile, passphrase }: TlsFiles): TlsOptions => ({
  ...(caFile !== undefined && { ca: pem(caFile) }),
  ...(certFile !== undefined && { cert: pem(certFile) }),
  ...(keyFile !== undefined && { key: pem(keyFile) }),
  ...(passphrase !== undefined && { passphrase }),
})

function pem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Problem(`${file}, which the log's auth names, cannot be read`, 'Check the path and that this user may read it.', { cause: error })
  }
}

type IamSigner = { readonly generateAuthToken: (options: { readonly region: string }) => Promise<{ readonly token: string }> }

const signerPackage = 'aws-msk-iam-sasl-signer-js'

/** By name, so that only those who use it need to have it. */
async function iamSigner(): Promise<IamSigner> {
  try {
    return (await import(signerPackage)) as IamSigner
  } catch (error) {
    throw new Problem(`auth by msk-iam needs the package ${signerPackage}, which is not installed`, `Run: npm install ${signerPackage}`, { cause: error })
  }
}
