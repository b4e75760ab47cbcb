/** Tests' short words for AWS's own client of the Data API: run, see the error, read every row. */
import {
  BatchExecuteStatementCommand,
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  RedshiftDataClient,
  type DescribeStatementResponse,
  type Field,
  type SqlParameter,
} from '@aws-sdk/client-redshift-data'
import type { TestDataApi } from './data-api.ts'

type Place = { readonly WorkgroupName: string; readonly Database: string }
type More = { readonly ClientToken?: string; readonly Parameters?: SqlParameter[] }

export const clientOf = (endpoint: string, region: string, maxAttempts = 3) =>
  new RedshiftDataClient({ endpoint, region, maxAttempts, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } })

const valueOf = (field: Field) => (field.isNull ? null : Object.values(field)[0])

export function talkTo({ endpoint, region, workgroup, database }: Pick<TestDataApi, 'endpoint' | 'region' | 'workgroup' | 'database'>) {
  const client = clientOf(endpoint, region)
  const place: Place = { WorkgroupName: workgroup, Database: database }
  const described = (Id: string | undefined) => client.send(new DescribeStatementCommand({ Id, WaitTimeSeconds: 30 }))
  const single = async (Sql: string, more: More = {}): Promise<DescribeStatementResponse> =>
    described((await client.send(new ExecuteStatementCommand({ ...place, Sql, ...more }))).Id)
  const batch = async (...Sqls: string[]) => described((await client.send(new BatchExecuteStatementCommand({ ...place, Sqls }))).Id)

  return {
    client,
    place,
    described,
    single,
    batch,
    /** Each by itself; all must succeed. */
    async run(...sqls: string[]): Promise<void> {
      for (const sql of sqls) {
        const { Status, Error: text } = await single(sql)
        if (Status !== 'FINISHED') throw new Error(`${sql}: ${Status} ${text}`)
      }
    },
    /** The error of the statement, or of the batch of them, if it has one. */
    failure: async (...sqls: string[]) => (sqls.length === 1 ? await single(sqls[0]!) : await batch(...sqls)).Error,
    /** Page by page. */
    async pagesOf(sql: string, more: More = {}): Promise<unknown[][][]> {
      const { Id, Error: text } = await single(sql, more)
      if (text !== undefined) throw new Error(`${sql}: ${text}`)
      const pages: unknown[][][] = []
      for (let NextToken: string | undefined; ;) {
        const page = await client.send(new GetStatementResultCommand({ Id, NextToken }))
        pages.push(page.Records!.map((row) => row.map(valueOf)))
        if (!page.NextToken) return pages
        NextToken = page.NextToken
      }
    },
    async rowsOf(sql: string, Parameters?: SqlParameter[]): Promise<unknown[][]> {
      return (await this.pagesOf(sql, Parameters ? { Parameters } : {})).flat()
    },
  }
}

export type Talk = ReturnType<typeof talkTo>
