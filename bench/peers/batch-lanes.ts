/** Who does the loan job as a batch, from csv.gz to a table or to Parquet: Tidemark's own commands, DuckDB, Polars and PySpark. */
import { join } from 'node:path'
import { root } from '../child.ts'
import { watch, type Command, type Usage } from './process.ts'
import { pythonPeer } from './tools.ts'

export type BatchTarget = 'table' | 'Parquet'
export type BatchJob = {
  readonly file: string
  readonly years: string
  /** Empty, and gone afterwards. */
  readonly dir: string
  readonly configFile: string
}

export type BatchLane = {
  readonly word: string
  readonly name: string
  readonly target: BatchTarget
  readonly features: readonly string[]
  /** Of Tidemark, when they are not all three features. */
  readonly definitions?: string
  /** Its commands, one after the other; all of their time counts. */
  prepare(): Promise<(job: BatchJob) => readonly Command[]>
  /** Untimed: brings what was written to where DuckDB finds it. */
  readonly forCheck?: (job: BatchJob) => readonly Command[]
  /** Where DuckDB finds it, in the order of the rows. */
  readonly written: (job: BatchJob) => { readonly database?: string; readonly from: string }
}

const node = (...args: string[]): Command => ({ file: process.execPath, args, env: { NODE_NO_WARNINGS: '1' } })
const inBench = (name: string) => join(root, 'bench', name)
const parquet = ({ dir }: BatchJob) => join(dir, 'rows.parquet')
const exported = ({ dir }: BatchJob) => join(dir, 'exported')

const backfill = ({ file, years, configFile }: BatchJob, ...more: readonly string[]) =>
  node('tidemark.js', 'backfill', '--years', years, '--file', file, '--config', configFile, ...more)
const exportAll = (job: BatchJob) => node('tidemark.js', 'export', 'loan_risk@0', '--out', exported(job), '--config', job.configFile)
const means = ['ma50', 'ma100']
const all = [...means, 'ema50']

const python = (list: string, program: string) => async () => {
  const interpreter = await pythonPeer(list)
  return (job: BatchJob) => [{ file: interpreter, args: [inBench(`peers/python/${program}.py`), job.file, parquet(job)] }]
}

export const batchLanes: readonly BatchLane[] = [
  {
    word: 'batch',
    name: 'Tidemark, backfill',
    target: 'table',
    features: means,
    definitions: inBench('definitions.ts'),
    prepare: async () => (job) => [backfill(job)],
    forCheck: (job) => [exportAll(job)],
    written: (job) => ({ from: `read_parquet('${exported(job)}/*.parquet')` }),
  },
  {
    word: 'batch-duckdb',
    name: 'DuckDB',
    target: 'table',
    features: means,
    prepare: async () => (job) => [node(inBench('batch-duckdb.ts'), job.file, join(job.dir, 'duck.db'))],
    written: ({ dir }) => ({ database: join(dir, 'duck.db'), from: 'loan_risk_rows ORDER BY _seq' }),
  },
  {
    word: 'parquet',
    name: 'Tidemark, backfill --out',
    target: 'Parquet',
    features: all,
    prepare: async () => (job) => [backfill(job, '--out', exported(job))],
    written: (job) => ({ from: `read_parquet('${exported(job)}/*.parquet')` }),
  },
  {
    word: 'parquet-export',
    name: 'Tidemark, backfill and export',
    target: 'Parquet',
    features: all,
    prepare: async () => (job) => [backfill(job), exportAll(job)],
    written: (job) => ({ from: `read_parquet('${exported(job)}/*.parquet')` }),
  },
  {
    word: 'parquet-duckdb',
    name: 'DuckDB',
    target: 'Parquet',
    features: means,
    prepare: async () => (job) => [node(inBench('peers/duckdb-parquet.ts'), job.file, parquet(job))],
    written: (job) => ({ from: `read_parquet('${parquet(job)}')` }),
  },
  {
    word: 'polars',
    name: 'Polars',
    target: 'Parquet',
    features: all,
    prepare: python('polars', 'polars_batch'),
    written: (job) => ({ from: `read_parquet('${parquet(job)}')` }),
  },
  {
    word: 'spark',
    name: 'PySpark, local[2]',
    target: 'Parquet',
    features: means,
    prepare: python('spark', 'spark_batch'),
    written: (job) => ({ from: `read_parquet('${parquet(job)}/*.parquet')` }),
  },
]

/** One after the other: seconds add up, the most memory of any of them counts. */
export async function runAll(name: string, commands: readonly Command[]): Promise<Usage> {
  const total = { seconds: 0, cpuSeconds: 0, peakBytes: 0, othersSeconds: 0 }
  for (const command of commands) {
    const { seconds, cpuSeconds, peakBytes, othersShare } = await watch(command, { name }).done
    total.seconds += seconds
    total.cpuSeconds += cpuSeconds
    total.peakBytes = Math.max(total.peakBytes, peakBytes)
    total.othersSeconds += othersShare * seconds
  }
  return { ...total, partnersSeconds: 0, othersShare: total.othersSeconds / total.seconds }
}
