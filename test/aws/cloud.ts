/**
 * The cloud on this machine, for tests: a real Kafka broker, and emulators of Glue, S3 and Redshift; and the rows that Redshift holds in
 * the end.
 */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshFolder, warehouseOf } from '../cli-run.ts'
import { missingForKafka, startKafka, type TestKafka } from '../kafka/broker.ts'
import { columnsOf, readRows } from '../oracle/compare.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { missingForMoto, startMoto, type TestAws } from './moto.ts'

type Settings = { readonly warehouse?: object; readonly registry?: object }

export type Cloud = {
  readonly kafka: TestKafka
  readonly aws: TestAws
  readonly api: TestDataApi
  /** A fresh folder whose config.json names topics, a registry and a schema of its own. */
  folder(settings?: Settings): { readonly folder: string; readonly schema: string }
  /** The same with other settings, as another file of the folder. */
  otherConfig(folder: { readonly folder: string; readonly schema: string }, name: string, settings: Settings): void
  stop(): Promise<void>
}

const region = 'eu-west-1'
const bucket = 'staging'

/** Why the cloud cannot be had here; undefined when it can. */
export const missingForCloud = (): string | undefined => missingForKafka() ?? missingForMoto()

/** The commands that are started find it through the environment. */
export async function startCloud(): Promise<Cloud> {
  const [kafka, aws] = await Promise.all([startKafka(), startMoto()])
  const api = await startDataApi({ region, s3Endpoint: aws.endpoint })
  Object.assign(process.env, api.env, aws.env)
  const s3 = new S3Client({ region, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }))
  s3.destroy()

  let stories = 0
  const write = (folder: string, schema: string, file: string, { warehouse, registry }: Settings) =>
    writeFileSync(
      join(folder, file),
      JSON.stringify({
        log: { kind: 'kafka', brokers: kafka.brokers, topicPrefix: `${schema}.`, sessionTimeoutMs: 1500 },
        registry: { kind: 'glue', region, registry: schema, ...registry },
        warehouse: {
          kind: 'redshift',
          region,
          workgroup: api.workgroup,
          database: api.database,
          schema,
          staging: { bucket, prefix: schema, roleArn: 'arn:aws:iam::123456789012:role/copy' },
          ...warehouse,
        },
      }),
    )
  return {
    kafka,
    aws,
    api,
    folder(settings = {}) {
      const [folder, schema] = [freshFolder(), `story${++stories}`]
      write(folder, schema, 'config.json', settings)
      return { folder, schema }
    },
    otherConfig: ({ folder, schema }, name, settings) => write(folder, schema, name, settings),
    async stop() {
      await api.stop()
      await Promise.all([aws.stop(), kafka.stop()])
    },
  }
}

export type Row = readonly (string | number | null)[]

const shownColumns = (embedded: string, view: string) =>
  columnsOf(warehouseOf(embedded), view)
    .map(String)
    .filter((name) => name !== '_modified_ts')

/** What an embedded warehouse holds in the table or view: all but when it was computed, in one order. */
export const embeddedRows = (embedded: string, view: string): Row[] =>
  readRows(warehouseOf(embedded), `SELECT ${listOf(shownColumns(embedded, view))} FROM ${view} ORDER BY _seq, _version`) as Row[]

/** The same of Redshift, asked past every part of ours; numbers are read as the embedded rows have them. */
export async function redshiftRows(api: TestDataApi, schema: string, embedded: string, view: string): Promise<Row[]> {
  const session = await api.session()
  const columns = shownColumns(embedded, view)
  try {
    const { rows, fields } = await session.run(`SELECT ${listOf(columns)} FROM ${schema}.${view} ORDER BY _seq, _version`)
    const numbers = fields.map(({ dataTypeID }) => [20, 21, 23, 700, 701].includes(dataTypeID))
    return rows.map((row) => row.map((text, i) => (text !== null && numbers[i] ? Number(text) : text)))
  } finally {
    await session.end()
  }
}

/** Nanoseconds are more than a number of JavaScript holds. */
const listOf = (columns: readonly string[]) =>
  columns.map((name) => (name === '_known_ts' ? `CAST("${name}" AS VARCHAR(20))` : `"${name}"`)).join(', ')

async function asked(api: TestDataApi, sql: string) {
  const session = await api.session()
  return (await session.run(sql).finally(() => session.end())).rows
}

export const redshiftCount = async (api: TestDataApi, table: string) => Number((await asked(api, `SELECT count(*) FROM ${table}`))[0]![0])

/** The views of the schema, by name. */
export const redshiftViews = async (api: TestDataApi, schema: string) =>
  (await asked(api, `SELECT viewname FROM pg_views WHERE schemaname = '${schema}' ORDER BY viewname`)).map(([name]) => name!)
