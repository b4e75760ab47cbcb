/** Reads the config file and the environment once, into a value the rest of the program can trust. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { Problem } from '../utilities/problem.ts'

const text = z.string().min(1)
const embedded = z.strictObject({ kind: z.literal('embedded') })

const tlsFiles = { caFile: text.optional(), certFile: text.optional(), keyFile: text.optional(), passphrase: text.optional() }
const kafka = z.strictObject({
  kind: z.literal('kafka'),
  /** Each as host:port; several may stand in one text with commas, as an environment variable has them. */
  brokers: z.array(text).min(1).transform((all) => all.flatMap((some) => some.split(',').map((one) => one.trim()))),
  topicPrefix: z.string().default(''),
  compression: z.enum(['none', 'gzip', 'zstd']).default('none'),
  auth: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('tls'), ...tlsFiles }),
    z.strictObject({
      kind: z.literal('scram'), username: text, password: text,
      mechanism: z.enum(['scram-sha-256', 'scram-sha-512']).default('scram-sha-512'),
      tls: z.union([z.boolean(), z.strictObject(tlsFiles)]).default(true),
    }),
  ]).default({ kind: 'none' }),
})

const shape = z.strictObject({
  dataDir: text.default('.tidemark'),
  features: text.optional(),
  source: z.strictObject({ file: text }).default({ file: 'data/rejected.csv.gz' }),
  log: z.discriminatedUnion('kind', [embedded, kafka]).default({ kind: 'embedded' }),
  registry: z.discriminatedUnion('kind', [embedded]).default({ kind: 'embedded' }),
  warehouse: z.discriminatedUnion('kind', [embedded]).default({ kind: 'embedded' }),
})

export type Config = Readonly<z.infer<typeof shape>>

export function readConfig(file: string | undefined, env: Readonly<Record<string, string | undefined>>): Config {
  const config = parse(file === undefined ? {} : substitute(readJson(file), env, file), file ?? 'the defaults')
  return config.features === undefined ? config : { ...config, features: found(config.features, file) }
}

/** A path as seen from where the command runs or, if nothing is there, from the folder of the config file. */
const found = (path: string, file: string | undefined): string => (file === undefined || existsSync(path) ? resolve(path) : resolve(dirname(file), path))

function readJson(file: string): unknown {
  try {
    return JSON.parse(stripComments(readFileSync(file, 'utf8')))
  } catch (error) {
    if (error instanceof SyntaxError) throw new Problem(`${file} is not JSON: ${error.message}`, 'Correct it; comments with // are fine.', { cause: error })
    throw new Problem(`the config file ${file} cannot be read: ${(error as Error).message}`, 'Check the path given to --config.', { cause: error })
  }
}

/** JSON with // comments outside of strings. */
const stripComments = (json: string) => json.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*/g, (_, quoted: string | undefined) => quoted ?? '')

function substitute(value: unknown, env: Readonly<Record<string, string | undefined>>, file: string): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const found = env[name]
      if (found === undefined) throw new Problem(`${file} needs the environment variable ${name}, which is not set`, `Set it, e.g. export ${name}=…`)
      return found
    })
  }
  if (Array.isArray(value)) return value.map((one) => substitute(one, env, file))
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, substitute(one, env, file)]))
  return value
}

function parse(value: unknown, from: string): Config {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const at = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    throw new Problem(`${from} has an unknown key ${[...issue.path, issue.keys[0]!].join('.')}`, `Remove it or correct its spelling. Known keys: ${Object.keys(shape.shape).join(', ')}.`, { usage: true })
  }
  throw new Problem(`${from}: ${at === '' ? 'the whole' : at}: ${issue.message}`, 'See docs/configuration.md for what it can be.', { usage: true })
}
