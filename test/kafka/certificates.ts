/** Certificates for tests, made by openssl: authorities, and what they sign. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Authority = { readonly folder: string; readonly name: string; readonly certFile: string }
export type Certificate = {
  readonly certFile: string
  readonly keyFile: string
  /** Key and certificate in one, as a Java broker reads it. */
  readonly pemFile: string
}

const openssl = (folder: string, ...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const

export function authority(folder: string, name: string): Authority {
  openssl(folder, 'req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`, '-days', '2')
  return { folder, name, certFile: join(folder, `${name}.crt`) }
}

export type Wanted = {
  /** subjectAltName, as openssl writes it. */
  readonly names?: string
  /** As openssl writes it: 20200102000000Z. */
  readonly until?: string
}

export function signed({ folder, name: by }: Authority, name: string, { names = 'IP:127.0.0.1', until }: Wanted = {}): Certificate {
  openssl(folder, 'req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  const extension = join(folder, `${name}.ext`)
  writeFileSync(extension, `subjectAltName=${names}\n`)
  writeFileSync(join(folder, `${by}.index`), '')
  writeFileSync(
    join(folder, `${by}.serial`),
    `${Math.floor(Math.random() * 2 ** 40)
      .toString(16)
      .padStart(12, '0')}\n`,
  )
  const settings = join(folder, `${by}.cnf`)
  const authority = [
    '[ca]',
    'default_ca=x',
    '[x]',
    `database=${by}.index`,
    `serial=${by}.serial`,
    'new_certs_dir=.',
    'default_md=sha256',
    'policy=p',
  ]
  writeFileSync(settings, [...authority, 'unique_subject=no', '[p]', 'commonName=supplied', ''].join('\n'))
  const dates = until === undefined ? ['-days', '2'] : ['-startdate', '20200101000000Z', '-enddate', until]
  openssl(
    folder,
    'ca',
    '-batch',
    '-notext',
    '-config',
    settings,
    '-cert',
    `${by}.crt`,
    '-keyfile',
    `${by}.key`,
    '-in',
    `${name}.csr`,
    '-out',
    `${name}.crt`,
    '-extfile',
    extension,
    ...dates,
  )
  const [certFile, keyFile, pemFile] = [`${name}.crt`, `${name}.key`, `${name}.pem`].map((file) => join(folder, file)) as [
    string,
    string,
    string,
  ]
  openssl(folder, 'pkcs8', '-topk8', '-nocrypt', '-in', keyFile, '-out', pemFile)
  appendFileSync(pemFile, readFileSync(certFile))
  return { certFile, keyFile, pemFile }
}
