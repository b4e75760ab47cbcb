/** Where services are answered, and whom: what stands where the config says nothing, and what is refused. */
import { Problem } from '../utilities/values/problem.ts'

export type Web = {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly auth: { readonly kind: 'none' } | { readonly kind: 'bearer'; readonly tokens: readonly string[] }
  readonly limits: { readonly bodyBytes: number; readonly keys: number; readonly values: number; readonly requestsPerSecond: number }
}

export const webDefaults = {
  host: '127.0.0.1',
  port: 7070,
  auth: { kind: 'none' },
  limits: { bodyBytes: 1_048_576, keys: 5_000, values: 100_000, requestsPerSecond: 50_000 },
} as const satisfies Web

/** What is said on the command line counts before the config. */
export function webOf(configured: Web | undefined, said: { readonly host: string | undefined; readonly port: string | undefined }): Web {
  const web = configured ?? webDefaults
  const port = said.port === undefined ? web.port : Number(said.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Problem(`--port ${said.port} is no port`, 'Give a number up to 65535, or 0 for any that is free.', { usage: true })
  const asked = { ...web, host: said.host ?? web.host, port }
  const why = whyOpen(asked)
  if (why !== undefined) throw new Problem(why.what, why.todo, { usage: true })
  return asked
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/** Whoever reaches the machine would read everything. */
export const whyOpen = ({ host, auth }: Pick<Web, 'host' | 'auth'>): { readonly what: string; readonly todo: string } | undefined =>
  auth.kind === 'none' && !isLoopback(host)
    ? {
        what: `${host} can be reached from other machines, and "web" in the config has no "auth"`,
        todo: 'Give it one, "auth": { "kind": "bearer", "tokens": ["${NAME}"] }, or keep to 127.0.0.1.',
      }
    : undefined
