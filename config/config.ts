/** Reads the config file and the environment once, into a value the rest of the program can trust. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, normalize, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { csvForm } from '../schemas/csv/form.ts'
import type { TextForm } from '../utilities/source.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { Problem } from '../utilities/values/problem.ts'

const text = z.string().min(1)
const embedded = z.strictObject({ kind: z.literal('embedded') })
/** How many partitions an inflow gets when it is made; a topic that is there keeps its own. */
const count = z.int().min(1).max(1000)
const partitions = count.default(1)

const tlsFiles = { caFile: text.optional(), certFile: text.optional(), keyFile: text.optional(), passphrase: text.optional() }
const kafka = z.strictObject({
  kind: z.literal('kafka'),
  partitions,
  /** Each as host:port; several may stand in one text with commas, as an environment variable has them. */
  brokers: z
    .array(text)
    .min(1)
    .transform((all) => all.flatMap((some) => some.split(',').map((one) => one.trim()))),
  topicPrefix: z.string().default(''),
  compression: z.enum(['none', 'gzip', 'zstd']).default('none'),
  /** Kafka gives up on a process that commits and says nothing for so long; its brokers allow 15 minutes at most. */
  transactionTimeoutMs: z.int().min(1000).default(30_000),
  /** After so long without a sign of life, the partitions of a consumer or sink go to the others, or to the one that is started again. */
  sessionTimeoutMs: z.int().min(1000).default(10_000),
  /** Kafka's own settings for topics that are made here, by topic. */
  topicSettings: z.record(text, z.record(text, z.union([text, z.number()]).transform(String))).default({}),
  auth: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('tls'), ...tlsFiles }),
      z.strictObject({
        kind: z.literal('scram'),
        username: text,
        password: text,
        mechanism: z.enum(['scram-sha-256', 'scram-sha-512']).default('scram-sha-512'),
        tls: z.union([z.boolean(), z.strictObject(tlsFiles)]).default(true),
      }),
      z.strictObject({ kind: z.literal('msk-iam'), region: text, caFile: text.optional() }),
    ])
    .default({ kind: 'none' }),
})

const glue = z.strictObject({
  kind: z.literal('glue'),
  region: text,
  /** Made when it is missing. One of Tidemark's own: every schema in it is looked at. */
  registry: z
    .string()
    .regex(/^[\w$#.-]{1,255}$/, 'a registry is called by letters, digits and - _ $ # .')
    .default('tidemark'),
  /** Of the schemas that are made here. */
  compatibility: z.enum(['NONE', 'BACKWARD', 'BACKWARD_ALL', 'FORWARD', 'FORWARD_ALL', 'FULL', 'FULL_ALL']).default('BACKWARD'),
  /** Where feature sets appear as tables of the Data Catalog: the registry's name, when left out. */
  catalogDatabase: z.union([text, z.literal(false)]).optional(),
})

const redshift = z
  .strictObject({
    kind: z.literal('redshift'),
    region: text,
    workgroup: text.optional(),
    cluster: text.optional(),
    dbUser: text.optional(),
    secretArn: text.optional(),
    database: text,
    schema: text,
    staging: z.strictObject({ bucket: text, prefix: z.string().default('tidemark'), roleArn: text.default('default') }).optional(),
    tooLong: z.enum(['stop', 'cut']).default('stop'),
  })
  .refine(({ workgroup, cluster }) => (workgroup === undefined) !== (cluster === undefined), {
    message: 'give a workgroup (Redshift Serverless) or a cluster, and not both',
    path: ['workgroup'],
  })
  .refine(({ cluster, dbUser }) => dbUser === undefined || cluster !== undefined, {
    message: 'a dbUser goes with a cluster',
    path: ['dbUser'],
  })

/** Where the file lies when the config says nothing else. */
export const defaultSource = 'data/rejected.csv.gz'

/** A file, a folder or a pattern, and how its cells are written. */
const fileSource = z
  .strictObject({
    file: text,
    delimiter: z.string().optional(),
    null: z.array(z.string()).optional(),
    dates: z.string().optional(),
    timestamps: z.string().optional(),
  })
  .superRefine(({ file: _, ...form }, context) => {
    try {
      csvForm(form as TextForm)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      context.addIssue({ code: 'custom', message: `${error.what}. ${error.todo}` })
    }
  })

/** Whose midnight and whose hours count. */
const zone = z.string().refine(isZone, { message: 'it is no time zone: use a name such as Europe/Berlin, or UTC' })

/** Node knows the zones of the IANA, and takes offsets such as +01:00 too, which have no summer time. */
function isZone(name: string): boolean {
  if (!/^[a-z]/i.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0)
    return true
  } catch {
    return false
  }
}

const shape = z.strictObject({
  dataDir: text.default('.tidemark'),
  features: text.optional(),
  /** Of the record, where the definitions have one, and of the loans. */
  source: fileSource.default({ file: defaultSource }),
  /** By the name of the record or the table. */
  sources: z.record(text, fileSource).default({}),
  log: z.discriminatedUnion('kind', [embedded.extend({ partitions }), kafka]).default({ kind: 'embedded', partitions: 1 }),
  /** By the name of the record or the fact. */
  streams: z.record(text, z.strictObject({ partitions: count })).default({}),
  /** By the name of the fact: how often its stream is told that time has passed. */
  ticks: z.record(text, z.strictObject({ every: z.enum(['day', 'hour']).default('day'), zone: zone.default('UTC') })).default({}),
  registry: z.discriminatedUnion('kind', [embedded, glue]).default({ kind: 'embedded' }),
  warehouse: z.discriminatedUnion('kind', [embedded, redshift]).default({ kind: 'embedded' }),
})

export type Config = Readonly<z.infer<typeof shape>>

/** How many partitions the inflow of a record gets if it has to be made. */
export const partitionsFor = ({ log, streams }: Config, { name }: { readonly name: string }): number =>
  streams[name]?.partitions ?? log.partitions

/** Where a record's file is, and how its cells are written. */
export type FileNamed = { readonly file: string; readonly form: TextForm }

/** What the config says of a record's file. `only`: the definitions have no other record. */
export function fileOf({ source, sources }: Config, record: string, only: boolean): FileNamed | undefined {
  const named = sources[record] ?? (only || record === rejectedLoan.name ? source : undefined)
  if (!named) return undefined
  const { file, ...form } = named
  return { file, form: form as TextForm }
}

export function readConfig(named: string | undefined, env: Readonly<Record<string, string | undefined>>): Config {
  const file = named === undefined ? undefined : shipped(named)
  const config = parse(file === undefined ? {} : substitute(readJson(file), env, file), file ?? 'the defaults')
  return config.features === undefined ? config : { ...config, features: found(config.features, file) }
}

/** A config file that comes with Tidemark is found from any folder, by the name that it has in the checkout. */
function shipped(file: string): string {
  if (existsSync(file) || dirname(normalize(file)) !== 'config') return file
  // The compiled package has it beside the compiled code.
  const places = ['.', '../../config'].map((folder) => fileURLToPath(new URL(`${folder}/${basename(file)}`, import.meta.url)))
  return places.find((place) => existsSync(place)) ?? file
}

/** A path as seen from where the command runs or, if nothing is there, from the folder of the config file. */
const found = (path: string, file: string | undefined): string =>
  file === undefined || existsSync(path) ? resolve(path) : resolve(dirname(file), path)

function readJson(file: string): unknown {
  try {
    return JSON.parse(stripComments(readFileSync(file, 'utf8')))
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new Problem(`${file} is not JSON: ${error.message}`, 'Correct it; comments with // are fine.', { cause: error })
    throw new Problem(`the config file ${file} cannot be read: ${(error as Error).message}`, 'Check the path given to --config.', {
      cause: error,
    })
  }
}

/** JSON with // comments outside of strings. */
const stripComments = (json: string) => json.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*/g, (_, quoted: string | undefined) => quoted ?? '')

function substitute(value: unknown, env: Readonly<Record<string, string | undefined>>, file: string): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const found = env[name]
      if (found === undefined)
        throw new Problem(`${file} needs the environment variable ${name}, which is not set`, `Set it, e.g. export ${name}=…`)
      return found
    })
  }
  if (Array.isArray(value)) return value.map((one) => substitute(one, env, file))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, substitute(one, env, file)]))
  return value
}

function parse(value: unknown, from: string): Config {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const at = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    throw new Problem(
      `${from} has an unknown key ${[...issue.path, issue.keys[0]!].join('.')}`,
      `Remove it or correct its spelling. Known keys: ${Object.keys(shape.shape).join(', ')}.`,
      { usage: true },
    )
  }
  throw new Problem(`${from}: ${at === '' ? 'the whole' : at}: ${issue.message}`, 'See docs/configuration.md for what it can be.', {
    usage: true,
  })
}
