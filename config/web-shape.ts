/** What a config may say of where services are answered. */
import { webDefaults, whyOpen } from './web.ts'
import { z } from './zod.ts'

const atLeastOne = z.int().min(1)

export const webShape = z
  .strictObject({
    host: z.string().min(1).default(webDefaults.host),
    port: z.int().min(0).max(65_535).default(webDefaults.port),
    auth: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('none') }),
        z.strictObject({ kind: z.literal('bearer'), tokens: z.array(z.string().regex(/^[!-~]+$/, 'a token is one word')).min(1) }),
      ])
      .default(webDefaults.auth),
    limits: z
      .strictObject({
        bodyBytes: atLeastOne.default(webDefaults.limits.bodyBytes),
        keys: atLeastOne.default(webDefaults.limits.keys),
        values: atLeastOne.default(webDefaults.limits.values),
        requestsPerSecond: atLeastOne.default(webDefaults.limits.requestsPerSecond),
      })
      .default(webDefaults.limits),
  })
  .superRefine((asked, context) => {
    const why = whyOpen(asked)
    if (why !== undefined) context.addIssue({ code: 'custom', message: `${why.what}. ${why.todo}`, path: ['host'] })
  })
