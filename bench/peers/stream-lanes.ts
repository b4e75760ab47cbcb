/** Who does the loan job on Kafka: Tidemark and its peers, each with the configuration that measured best here. */
import { join } from 'node:path'
import type { Command } from './process.ts'
import type { SchemaFiles } from './schemas.ts'
import { javaPeer, pythonPeer } from './tools.ts'

export type StreamJob = SchemaFiles & {
  readonly brokers: string
  /** Framed, as Tidemark produced it. */
  readonly inflow: string
  /** The same messages without their frames. */
  readonly plain: string
  readonly outflow: string
  /** A name that nobody used before: a group, a transactional id. */
  readonly name: string
  readonly stateDir: string
  readonly rows: number
  /** Of Tidemark. */
  readonly configFile: string
  /** By zip code. */
  readonly keyed: boolean
}

export type StreamLane = {
  readonly word: string
  readonly name: string
  readonly guarantee: 'exactly once' | 'transactions, state in memory only' | 'at least once'
  /** It goes on for ever unless it is told to stop. */
  readonly service: boolean
  /** It can also do the job by key. */
  readonly byKey?: true
  readonly readsPlain?: true
  /** Slow ones need not go through all. */
  readonly atMostRows?: number
  /** Fetches what it needs; a Problem says why it cannot run here. */
  prepare(): Promise<(job: StreamJob) => Command>
}

const here = import.meta.dirname
const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'
/** Flink looks into the JDK's own classes. */
const opened = ['util', 'lang', 'util.concurrent', 'time'].flatMap((name) => ['--add-opens', `java.base/java.${name}=ALL-UNNAMED`])
const jobSources = ['java/Features', 'java/LoanAvro', 'java/Words']
/** The parallel collector took less processor time than the default one in all of them. */
const jvm = [quiet, '-Xmx1g', '-XX:+UseParallelGC']

const words = (all: { readonly [name: string]: string | number }) => Object.entries(all).map(([name, value]) => `${name}=${value}`)
const common = ({ brokers, inflow, plain, outflow, name, stateDir, inSchema, outSchema, keyed }: StreamJob, readsPlain = false) => ({
  brokers,
  in: readsPlain ? plain : inflow,
  out: outflow,
  id: name,
  stateDir,
  inSchema,
  outSchema,
  keyed: keyed ? 'yes' : 'no',
})

const streams = (store: 'memory' | 'rocksdb') => async () => {
  const { java, classPath } = await javaPeer('kafka-streams', [...jobSources, 'kafka-streams/LoanStreams'])
  return (job: StreamJob) => ({
    file: java,
    args: [
      ...jvm,
      '-cp',
      classPath,
      'LoanStreams',
      ...words({ ...common(job), store, commitMs: 100, pollRecords: 5000, batchBytes: 262_144 }),
    ],
  })
}

const flink = (main: 'LoanStream' | 'LoanSql') => async () => {
  const { java, classPath } = await javaPeer('flink', [...jobSources, 'flink/LoanStream', 'flink/LoanSql', 'flink/ShopSql'])
  return (job: StreamJob) => ({
    file: java,
    args: [
      ...opened,
      ...jvm,
      '-cp',
      classPath,
      main,
      ...words({
        ...common(job, main === 'LoanSql'),
        checkpointMs: 1000,
        chained: 'yes',
        pollRecords: 5000,
        batchBytes: 262_144,
        lingerMs: 5,
      }),
    ],
  })
}

type ShopJob = { readonly [word in 'brokers' | 'in' | 'out' | 'id' | 'stateDir']: string } & { readonly miniBatchMs: number }

/** The tables of the example's shop, and totals of its accounts. */
export async function flinkShop(): Promise<(job: ShopJob) => Command> {
  const { java, classPath } = await javaPeer('flink', [...jobSources, 'flink/LoanStream', 'flink/LoanSql', 'flink/ShopSql'])
  return (job) => ({
    file: java,
    args: [
      ...opened,
      ...jvm,
      '-cp',
      classPath,
      'ShopSql',
      ...words({ ...job, checkpointMs: 1000, pollRecords: 5000, batchBytes: 262_144, lingerMs: 5 }),
    ],
  })
}

const kafkajs =
  (program: string, ...more: readonly (string | number)[]) =>
  async () =>
  ({ brokers, inflow, outflow, name, inSchema, outSchema, rows }: StreamJob): Command => ({
    file: process.execPath,
    args: [join(here, 'kafkajs', `${program}.ts`), brokers, inflow, outflow, name, inSchema, outSchema, ...more.map(String), String(rows)],
    env: { NODE_NO_WARNINGS: '1' },
  })

export const tidemarkStream: StreamLane = {
  word: 'tidemark',
  name: 'Tidemark',
  guarantee: 'exactly once',
  service: false,
  byKey: true,
  prepare:
    async () =>
    ({ configFile }) => ({ file: process.execPath, args: ['tidemark.js', 'consume', '--until-caught-up', '--config', configFile] }),
}

export const streamLanes: readonly StreamLane[] = [
  tidemarkStream,
  { word: 'flink', name: 'Flink DataStream', guarantee: 'exactly once', service: false, byKey: true, prepare: flink('LoanStream') },
  {
    word: 'kafka-streams',
    name: 'Kafka Streams, state in memory',
    guarantee: 'exactly once',
    service: true,
    byKey: true,
    prepare: streams('memory'),
  },
  {
    word: 'kafka-streams-rocksdb',
    name: 'Kafka Streams, RocksDB',
    guarantee: 'exactly once',
    service: true,
    byKey: true,
    prepare: streams('rocksdb'),
  },
  { word: 'flink-sql', name: 'Flink SQL', guarantee: 'exactly once', service: false, readsPlain: true, prepare: flink('LoanSql') },
  {
    word: 'librdkafka',
    name: 'confluent-kafka in Python, by hand',
    guarantee: 'transactions, state in memory only',
    service: true,
    async prepare() {
      const python = await pythonPeer('confluent')
      return ({ brokers, inflow, outflow, name, inSchema, outSchema }) => ({
        file: python,
        args: [join(here, 'python', 'transactions.py'), brokers, inflow, outflow, name, inSchema, outSchema],
      })
    },
  },
  {
    word: 'kafkajs',
    name: 'kafkajs by hand, tuned',
    guarantee: 'transactions, state in memory only',
    service: true,
    prepare: kafkajs('tuned'),
  },
  {
    word: 'kafkajs-100',
    name: 'kafkajs as usual, 100 a send',
    guarantee: 'at least once',
    service: true,
    atMostRows: 200_000,
    prepare: kafkajs('naive', 100),
  },
  {
    word: 'kafkajs-1',
    name: 'kafkajs as usual, 1 a send',
    guarantee: 'at least once',
    service: true,
    atMostRows: 20_000,
    prepare: kafkajs('naive', 1),
  },
  {
    word: 'bytewax',
    name: 'Bytewax',
    guarantee: 'at least once',
    service: false,
    async prepare() {
      const python = await pythonPeer('bytewax')
      return ({ brokers, inflow, outflow, inSchema, outSchema }) => ({
        file: python,
        args: ['-m', 'bytewax.run', 'bytewax_loans:flow'],
        env: {
          PYTHONPATH: join(here, 'python'),
          BROKERS: brokers,
          INFLOW: inflow,
          OUTFLOW: outflow,
          IN_SCHEMA: inSchema,
          OUT_SCHEMA: outSchema,
        },
      })
    },
  },
]
