/** Where services are answered, and whom: what a config says of it, and what stands where it says nothing. */
import { z } from 'zod'
import { Problem } from '../utilities/values/problem.ts'

const text = z.string().min(1)
const atLeastOne = z.int().min(1)

const shape = z.strictObject({
  host: text.default('127.0.0.1'),
  /** 0 for any that is free. */
  port: z.int().min(0).max(65_535).default(7070),
  auth: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('bearer'), tokens: z.array(text.regex(/^[\x21-\x7e]+$/, 'a token has no blanks')).min(1) }),
    ])
    .default({ kind: 'none' }),
  limits: z
    .strictObject({
      bodyBytes: atLeastOne.default(1_048_576),
      keys: atLeastOne.default(5_000),
      values: atLeastOne.default(100_000),
      requestsPerSecond: atLeastOne.default(50_000),
    })
    .prefault({}),
})

type Web = Readonly<z.infer<typeof shape>>

export const webShape = shape.superRefine((web, context) => {
  const why = whyOpen(web)
  if (why !== undefined) context.addIssue({ code: 'custom', message: `${why.what}: ${why.todo}`, path: ['host'] })
})

/** What is said on the command line counts before the config. */
export function webOf(configured: Web | undefined, said: { readonly host: string | undefined; readonly port: string | undefined }): Web {
  const web = configured ?? shape.parse({})
  const port = said.port === undefined ? web.port : Number(said.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Problem(`--port ${said.port} is no port`, 'Give a number up to 65535, or 0 for any that is free.', { usage: true })
  const asked = { ...web, host: said.host ?? web.host, port }
  const why = whyOpen(asked)
  if (why !== undefined) throw new Problem(why.what, `${why.todo[0]!.toUpperCase()}${why.todo.slice(1)}.`, { usage: true })
  return asked
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/** Whoever reaches the machine would read everything. */
const whyOpen = ({ host, auth }: Web) =>
  auth.kind === 'none' && !isLoopback(host)
    ? {
        what: `${host} can be reached from other machines, and nobody would have to say who it is`,
        todo: 'give "web" an "auth": { "kind": "bearer", "tokens": ["${NAME}"] }, or keep to 127.0.0.1',
      }
    : undefined
