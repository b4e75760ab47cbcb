/** What a config file may say, as data: its keys, what each can be, and what stands where nothing is said. */
import { readFileSync } from 'node:fs'
import { Unreadable } from '../schemas/avro/generic.ts'
import { shapeOf } from '../schemas/foreign/avro/shape.ts'
import { csvForm } from '../schemas/csv/form.ts'
import type { TextForm } from '../utilities/source.ts'
import { Problem } from '../utilities/values/problem.ts'
import { webShape } from './web-shape.ts'
import { z } from './zod.ts'

const text = z.string().min(1)
const embedded = z.strictObject({ kind: z.literal('embedded') })
/** How many partitions an inflow gets when it is made; a topic that is there keeps its own. */
const count = z.int().min(1).max(1000)
const partitions = count.default(1)

const tlsFiles = { caFile: text.optional(), certFile: text.optional(), keyFile: text.optional(), passphrase: text.optional() }
/** Where a Kafka is, and how a process proves there who it is. */
const reached = {
  /** Each as host:port; several may stand in one text with commas, as an environment variable has them. */
  brokers: z
    .array(text)
    .min(1)
    .transform((all) => all.flatMap((some) => some.split(',').map((one) => one.trim()))),
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
}

const kafka = z.strictObject({
  kind: z.literal('kafka'),
  partitions,
  ...reached,
  topicPrefix: z.string().default(''),
  compression: z.enum(['none', 'gzip', 'zstd']).default('none'),
  /** Kafka gives up on a process that commits and says nothing for so long; its brokers allow 15 minutes at most. */
  transactionTimeoutMs: z.int().min(1000).default(30_000),
  /** After so long without a sign of life, the partitions of a consumer or sink go to the others, or to the one that is started again. */
  sessionTimeoutMs: z.int().min(1000).default(10_000),
  /** Kafka's own settings for topics that are made here, by topic. */
  topicSettings: z.record(text, z.record(text, z.union([text, z.number()]).transform(String))).default({}),
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

type FileSource = Readonly<z.infer<typeof fileSource>>

/** Standard input is a topic, too: one by a name that no topic of Kafka can have. */
export const standardInputTopic = 'standard input'

const topicName = z.string().regex(/^[\w.-]{1,249}$/, 'a topic is called by letters, digits and . _ -')

/** The registry of Confluent's that writers of a topic keep their schemas in. */
const schemaRegistry = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'it is no address that begins with http:// or https://' }),
  auth: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('basic'), username: text, password: text }),
      z.strictObject({ kind: z.literal('bearer'), token: text }),
    ])
    .default({ kind: 'none' }),
})

/** The file with a schema; what the config holds is its text. */
const schemaFile = text.transform((file, context) => {
  const refused = (message: string) => {
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  try {
    const schema = readFileSync(file, 'utf8')
    shapeOf(schema)
    return schema
  } catch (error) {
    return refused(
      error instanceof Unreadable ? `${file} has no Avro schema: ${error.message}` : `${file} cannot be read: ${(error as Error).message}`,
    )
  }
})

/** A topic of others, and what its messages are. */
const topicSource = z
  .strictObject({
    topic: topicName,
    format: z.enum(['json', 'avro', 'debezium', 'upsert-json']),
    /** Where Debezium says which changes were one transaction. */
    transactions: topicName.optional(),
    framing: z.enum(['glue', 'confluent', 'none']).optional(),
    schemaRegistry: schemaRegistry.optional(),
    /** Of the values, in Avro, where no message names its own. */
    schema: schemaFile.optional(),
    /** What whole numbers count since 1970, where their schema does not say. */
    timestamps: z.enum(['milliseconds', 'microseconds', 'nanoseconds']).optional(),
    /** How decimals are written, where their schema does not say. */
    decimals: z.enum(['base64', 'text']).optional(),
    /** There is none to be waited for. */
    snapshot: z.literal('none').optional(),
  })
  .refine(({ format, transactions }) => transactions === undefined || format === 'debezium', {
    message: 'only the format debezium tells of transactions',
    path: ['transactions'],
  })
  .refine(({ framing, schemaRegistry: asked }) => framing !== 'confluent' || asked !== undefined, {
    message: "Confluent's framing needs the schemaRegistry with the writers' schemas",
    path: ['framing'],
  })
  .refine(({ format, framing, schema }) => format !== 'avro' || framing !== 'none' || schema !== undefined, {
    message: 'messages that name no schema need one: "schema": "FILE.avsc"',
    path: ['framing'],
  })
  .refine(({ format, framing, schema }) => schema === undefined || (framing === 'none' && (format === 'avro' || format === 'debezium')), {
    message: 'it is for messages in Avro whose framing is none',
    path: ['schema'],
  })
  .refine(({ framing, schemaRegistry: asked }) => asked === undefined || framing === undefined || framing === 'confluent', {
    message: "it is for Confluent's framing",
    path: ['schemaRegistry'],
  })

export type TopicSource = Readonly<z.infer<typeof topicSource>>

const standardInputSource = z
  .strictObject({ stdin: z.literal('jsonl') })
  .transform((): TopicSource => ({ topic: standardInputTopic, format: 'json' }))

/** Which kind it is, its keys tell, so that what is wrong with it is said of that kind. */
const anySource = z.looseObject({}).transform((value, context): FileSource | TopicSource => {
  const kind = 'topic' in value ? topicSource : 'stdin' in value ? standardInputSource : fileSource
  const { success, data, error } = kind.safeParse(value)
  if (success) return data
  for (const issue of error.issues) context.addIssue({ ...issue, input: value } as Parameters<typeof context.addIssue>[0])
  return z.NEVER
})

const sources = z.record(text, anySource).superRefine((all, context) => {
  const [first, second] = Object.keys(all).filter((name) => 'topic' in all[name]! && all[name].topic === standardInputTopic)
  if (second !== undefined) context.addIssue({ code: 'custom', message: `standard input is that of ${first} already`, path: [second] })
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

export const shape = z.strictObject({
  dataDir: text.default('.tidemark'),
  features: text.optional(),
  /** Of the record, where the definitions have one, and of the loans. */
  source: fileSource.default({ file: defaultSource }),
  /** By the name of the record or the table. */
  sources: sources.default({}),
  log: z.discriminatedUnion('kind', [embedded.extend({ partitions }), kafka]).default({ kind: 'embedded', partitions: 1 }),
  /** Where topics of others come from, when that is not the log's own Kafka. */
  ingest: z
    .strictObject({
      kafka: z.strictObject(reached).optional(),
      /** So long a transaction that has not come whole is held back where all has been read that there is. */
      holdMs: z.int().min(0).max(600_000).default(5_000),
    })
    .default({ holdMs: 5_000 }),
  /** By the name of the record or the fact. */
  streams: z.record(text, z.strictObject({ partitions: count })).default({}),
  /** By the name of the fact: how often its stream is told that time has passed. */
  ticks: z.record(text, z.strictObject({ every: z.enum(['day', 'hour']).default('day'), zone: zone.default('UTC') })).default({}),
  registry: z.discriminatedUnion('kind', [embedded, glue]).default({ kind: 'embedded' }),
  warehouse: z.discriminatedUnion('kind', [embedded, redshift]).default({ kind: 'embedded' }),
  /** Where services are answered; nobody has asked for it where it is not there. */
  web: webShape.optional(),
})

export type Config = Readonly<z.infer<typeof shape>>
