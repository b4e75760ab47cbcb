/** The operations of the Data API, each with the checks that the service makes before it does anything. */
import { Refused, invalid, notFound, seconds } from './data-api-answers.ts'
import { strikes, type Credentials, type Faults } from './data-api-faults.ts'
import { limiter, type Rates } from './data-api-rates.ts'
import type { Parameter } from './data-api-session.ts'
import { described, isOver, resultOf, type Statement, type Statements } from './data-api-statements.ts'

type Server = {
  readonly statements: Statements
  readonly faults: Faults
  readonly region: string
  readonly workgroup: string
  readonly database: string
  readonly pageRows: number
  readonly mostActive: number
  readonly tokenMs: number
  readonly rates: Rates
}

type Asked = {
  readonly Sql?: string
  readonly Sqls?: readonly string[]
  readonly Parameters?: readonly Parameter[]
  readonly WorkgroupName?: string
  readonly ClusterIdentifier?: string
  readonly Database?: string
  readonly ClientToken?: string
  readonly StatementName?: string
  readonly ExecutionMode?: 'TRANSACTION' | 'AUTO_COMMIT'
  readonly WaitTimeSeconds?: number
  readonly Id?: string
  readonly NextToken?: string
  readonly Status?: string
  readonly [other: string]: unknown
}

const mostStatementBytes = 100_000
const mostStatements = 40

export function answererOf(server: Server) {
  const { statements, faults } = server
  const isTooFast = limiter(server.rates)
  const tokens = new Map<string, { readonly statement: Statement; readonly body: string; readonly at: number }>()

  const submit = (operation: string, asked: Asked, body: string): Statement => {
    checkPlace(server, asked)
    const sqls = operation === 'BatchExecuteStatement' ? asked.Sqls : asked.Sql === undefined ? undefined : [asked.Sql]
    checkSqls(sqls, asked.Parameters ?? [])
    const token = asked.ClientToken
    if (token !== undefined && (token.length < 1 || token.length > 64)) throw invalid('ClientToken must have 1 to 64 characters')
    const known = token === undefined ? undefined : tokens.get(token)
    if (known && Date.now() - known.at < server.tokenMs) {
      if (known.body !== body) throw invalid('ClientToken was used before with other parameters')
      return known.statement
    }
    if (strikes(faults, 'tooManyActive', operation) || statements.active().length >= server.mostActive) {
      throw new Refused('ActiveStatementsExceededException', 'Active statements exceeded the allowed quota.')
    }
    const batch = operation === 'BatchExecuteStatement'
    const together = batch && asked.ExecutionMode !== 'AUTO_COMMIT'
    const given = { sqls: sqls!, batch, together, parameters: asked.Parameters ?? [], name: asked.StatementName, queueMs: faults.queueMs }
    const statement = statements.submit(given, () => failNow(faults, operation, sqls!))
    if (token !== undefined) tokens.set(token, { statement, body, at: Date.now() })
    return statement
  }

  const submitted = (statement: Statement, { Database, WorkgroupName, WaitTimeSeconds }: Asked) => ({
    Id: statement.id,
    CreatedAt: seconds(statement.createdAt),
    Database,
    WorkgroupName,
    DbUser: 'IAMR:tidemark',
    ...(WaitTimeSeconds === undefined
      ? {}
      : { Status: statement.status, HasResultSet: statement.parts.some(({ outcome }) => outcome?.hasRows) }),
  })

  const known = async (asked: Asked) => {
    if (asked.Id === undefined) throw invalid('Id is missing')
    const found = statements.find(asked.Id)
    await waited(found.statement, asked.WaitTimeSeconds)
    return { id: asked.Id, ...found }
  }

  const operations: Readonly<Record<string, (asked: Asked, body: string) => Promise<unknown>>> = {
    async ExecuteStatement(asked, body) {
      const statement = submit('ExecuteStatement', asked, body)
      await waited(statement, asked.WaitTimeSeconds)
      return submitted(statement, asked)
    },
    async BatchExecuteStatement(asked, body) {
      const statement = submit('BatchExecuteStatement', asked, body)
      await waited(statement, asked.WaitTimeSeconds)
      return submitted(statement, asked)
    },
    async DescribeStatement(asked) {
      const { statement, id, part } = await known(asked)
      return { ...described(statement, id, part), Database: server.database, WorkgroupName: server.workgroup }
    },
    async GetStatementResult(asked) {
      const { statement, id, part } = await known(asked)
      return resultOf(statement, id, part, asked.NextToken, server.pageRows)
    },
    async CancelStatement(asked) {
      if (asked.Id === undefined) throw invalid('Id is missing')
      return { Status: await statements.cancel(asked.Id) }
    },
    async ListStatements(asked) {
      const isAsked = ({ status, name = '' }: Statement) =>
        ['ALL', status].includes(asked.Status ?? 'ALL') && name.startsWith(asked.StatementName ?? '')
      const shown = statements.all().filter(isAsked)
      return {
        Statements: shown
          .reverse()
          .slice(0, 100)
          .map((statement) => ({
            Id: statement.id,
            Status: statement.status,
            CreatedAt: seconds(statement.createdAt),
            UpdatedAt: seconds(statement.updatedAt),
            IsBatchStatement: statement.batch,
            StatementName: statement.name,
            ...(statement.batch ? { QueryStrings: statement.parts.map(({ sql }) => sql) } : { QueryString: statement.parts[0]!.sql }),
          })),
      }
    },
  }

  return async (operation: string, authorization: string | undefined, body: string): Promise<unknown> => {
    if (strikes(faults, 'internalErrors', operation))
      throw new Refused('InternalServerException', 'The server failed, as it was told to.', { status: 500 })
    checkCaller(authorization, operation, server)
    if (strikes(faults, 'throttle', operation) || isTooFast(operation, Date.now()))
      throw new Refused('ThrottlingException', 'Rate exceeded')
    if (!Object.hasOwn(operations, operation)) throw new Refused('UnknownOperationException', `the test server has no ${operation}`)
    return operations[operation]!(parsed(body), body)
  }
}

function parsed(body: string): Asked {
  const asked = JSON.parse(body, (_, value: unknown) => {
    if (typeof value === 'string' && !value.isWellFormed())
      throw new Refused('SerializationException', 'the text is not well-formed Unicode')
    return value
  }) as Asked
  if (asked.SessionId !== undefined || asked.SessionKeepAliveSeconds !== undefined)
    throw invalid('the test server has no sessions that outlive a statement')
  return asked
}

/** Long polling: until the statement is over, or the time is. */
async function waited(statement: Statement, waitSeconds: number | undefined): Promise<void> {
  if (waitSeconds === undefined || isOver(statement.status)) return
  if (!(Number.isInteger(waitSeconds) && waitSeconds >= 0 && waitSeconds <= 30)) throw invalid('WaitTimeSeconds must be from 0 to 30')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((done) => (timer = setTimeout(done, waitSeconds * 1000)))
  await Promise.race([statement.ended, late])
  clearTimeout(timer)
}

function checkPlace({ workgroup, database }: Server, asked: Asked): void {
  if (asked.WorkgroupName === undefined && asked.ClusterIdentifier === undefined)
    throw invalid('Either ClusterIdentifier or WorkgroupName must be given')
  const name = asked.WorkgroupName ?? asked.ClusterIdentifier!
  if (name !== workgroup) throw notFound(`Redshift endpoint doesn't exist in this region: ${name}`, name)
  if (asked.Database === undefined) throw invalid('Database is missing')
  if (asked.Database !== database) throw invalid(`FATAL: database "${asked.Database}" does not exist`)
}

const unfit = (what: string, length: string) =>
  invalid(`1 validation error detected: Value at '${what}' failed to satisfy constraint: Member must have length ${length}`)

function checkSqls(sqls: readonly string[] | undefined, parameters: readonly Parameter[]): void {
  if (!sqls || sqls.length < 1 || sqls.length > mostStatements) throw unfit('sqls', `between 1 and ${mostStatements}`)
  for (const sql of sqls) {
    if (sql.length === 0) throw invalid('the statement is empty')
    if (Buffer.byteLength(sql) > mostStatementBytes) throw invalid(`Cannot process query string larger than 100kB`)
  }
  for (const { name, value } of parameters) {
    if (!/^[0-9a-zA-Z_]+$/.test(name)) throw invalid(`the name of a parameter is ${JSON.stringify(name)}`)
    if (typeof value !== 'string' || value.length < 1) throw unfit(`parameters.${name}.value`, 'greater than or equal to 1')
    const used = new RegExp(`(?<!:):${name}(?![0-9a-zA-Z_])`)
    if (!sqls.some((sql) => used.test(sql))) throw invalid(`Parameters list contains unused parameters. Unused parameters: [${name}]`)
  }
}

const strangers: Readonly<Record<Exclude<Credentials, 'good'>, (operation: string) => Refused>> = {
  expired: () => new Refused('ExpiredTokenException', 'The security token included in the request is expired'),
  denied: (operation) =>
    new Refused(
      'AccessDeniedException',
      [
        `User: arn:aws:iam::123456789012:user/test is not authorized to perform: redshift-data:${operation}`,
        `because no identity-based policy allows the redshift-data:${operation} action`,
      ].join(' '),
    ),
  unknown: () => new Refused('UnrecognizedClientException', 'The security token included in the request is invalid.'),
}

/** Signatures are not checked: only that there is one, and for which region. */
function checkCaller(authorization: string | undefined, operation: string, { faults, region }: Server): void {
  const scope = /Credential=[^/]+\/\d{8}\/([^/]+)\/redshift-data\/aws4_request/.exec(authorization ?? '')
  if (!scope) throw new Refused('MissingAuthenticationTokenException', 'Missing Authentication Token')
  if (faults.credentials !== 'good') throw strangers[faults.credentials](operation)
  if (scope[1] !== region) throw invalid("Redshift endpoint doesn't exist in this region.")
}

const writes = /^\s*(INSERT|UPDATE|DELETE|MERGE|COPY)\b/i

/** Just before the commit, so that all was run and nothing of it stays. */
function failNow(faults: Faults, operation: string, sqls: readonly string[]): void {
  const canConflict = sqls.some((sql) => writes.test(sql)) && sqls.some((sql) => sql.includes(faults.conflictsIn))
  if (canConflict && strikes(faults, 'conflicts', operation))
    throw Object.assign(new Error('could not serialize access'), { code: '40001' })
  if (faults.failures.count > 0) {
    faults.failures.count--
    throw new Error(faults.failures.text)
  }
}
