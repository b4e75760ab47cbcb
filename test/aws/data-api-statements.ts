/** The statements that the Data API test server was given: run one behind the other's back, asked for by id, stopped, never forgotten. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { invalid, notFound, seconds, textOf } from './data-api-answers.ts'
import { pageOf, runIn, type Outcome, type Parameter, type Place } from './data-api-session.ts'
import type { Session } from './postgres.ts'

export type Status = 'SUBMITTED' | 'STARTED' | 'FINISHED' | 'FAILED' | 'ABORTED'

type Part = {
  readonly sql: string
  status: Status
  error: string | undefined
  outcome: Outcome | undefined
  startedAt: number
  updatedAt: number
}

export type Statement = {
  readonly id: string
  readonly batch: boolean
  readonly together: boolean
  readonly parameters: readonly Parameter[]
  readonly name: string | undefined
  readonly createdAt: number
  readonly parts: readonly Part[]
  status: Status
  error: string | undefined
  updatedAt: number
  session: Session | undefined
  /** While it waits for its turn: aborts the wait. */
  readonly waiting: AbortController
  /** Resolves when it has come to its end. */
  ended: Promise<void>
}

type Given = {
  readonly sqls: readonly string[]
  readonly batch: boolean
  readonly together: boolean
  readonly parameters: readonly Parameter[]
  readonly name: string | undefined
  readonly queueMs: number
}

export interface Statements {
  /** Takes it and returns at once; it runs by itself. */
  submit(given: Given, beforeCommit: () => void): Statement
  /** A statement by its id, and the part that an id such as ID:2 means. */
  find(id: string): { readonly statement: Statement; readonly part: Part | undefined }
  cancel(id: string): Promise<boolean>
  all(): readonly Statement[]
  /** Those that have not come to their end. */
  active(): readonly Statement[]
  /** Lets none start any more, and waits for all that are under way. */
  settle(): Promise<void>
}

export function openStatements(place: Place): Statements {
  const byId = new Map<string, Statement>()
  const find = (id: string) => {
    const [, whole = '', number] = /^([0-9a-f-]{36})(?::(\d+))?$/.exec(id) ?? []
    if (whole === '') throw invalid(`id ${id} is not a statement identifier`)
    const statement = byId.get(whole)
    const part =
      statement && (number === undefined ? (statement.batch ? undefined : statement.parts[0]) : statement.parts[Number(number) - 1])
    if (!statement || (number !== undefined && !part)) throw notFound(`Query does not exist.`, id)
    return { statement, part }
  }
  return {
    submit(given, beforeCommit) {
      const now = Date.now()
      const statement: Statement = {
        id: randomUUID(),
        batch: given.batch,
        together: given.together,
        parameters: given.parameters,
        name: given.name,
        createdAt: now,
        status: 'SUBMITTED',
        error: undefined,
        updatedAt: now,
        session: undefined,
        waiting: new AbortController(),
        ended: Promise.resolve(),
        parts: given.sqls.map((sql) => ({
          sql,
          status: 'SUBMITTED',
          error: undefined,
          outcome: undefined,
          startedAt: now,
          updatedAt: now,
        })),
      }
      byId.set(statement.id, statement)
      statement.ended = runStatement(place, statement, given.queueMs, beforeCommit)
      return statement
    },
    find,
    async cancel(id) {
      const { statement } = find(id)
      if (isOver(statement.status)) throw invalid(`Could not cancel a query that is already in ${statement.status} state with ID: ${id}`)
      end(statement, 'ABORTED', undefined)
      statement.waiting.abort()
      if (statement.session) {
        const other = await place.postgres.session(place.database)
        await other.run(`SELECT pg_cancel_backend(${statement.session.processId})`).finally(() => other.end())
      }
      return true
    },
    all: () => [...byId.values()],
    active: () => [...byId.values()].filter(({ status }) => !isOver(status)),
    async settle() {
      await Promise.all([...byId.values()].map(({ waiting, ended }) => (waiting.abort(), ended)))
    },
  }
}

export const isOver = (status: Status) => status === 'FINISHED' || status === 'FAILED' || status === 'ABORTED'

function end(statement: Statement, status: Status, error: string | undefined): void {
  if (isOver(statement.status)) return
  const updatedAt = Date.now()
  Object.assign(statement, { status, error, updatedAt })
  const left = status === 'FINISHED' ? status : 'ABORTED'
  for (const part of statement.parts) if (!isOver(part.status)) Object.assign(part, { status: left, updatedAt })
}

async function runStatement(place: Place, statement: Statement, queueMs: number, beforeCommit: () => void): Promise<void> {
  let current: Part | undefined
  if (queueMs > 0) await setTimeout(queueMs, undefined, { signal: statement.waiting.signal }).catch(() => {})
  if (isOver(statement.status)) return
  if (statement.waiting.signal.aborted) return end(statement, 'ABORTED', undefined)
  Object.assign(statement, { status: 'STARTED', updatedAt: Date.now() })
  let session: Session | undefined
  try {
    session = await place.postgres.session(place.database)
    statement.session = session
    await runIn(place, session, {
      statements: statement.parts.map(({ sql }) => sql),
      parameters: statement.parameters,
      together: statement.together,
      beforeCommit,
      started(index) {
        current = statement.parts[index]!
        Object.assign(current, { status: 'STARTED', startedAt: Date.now() })
      },
      finished: (index, outcome) => void Object.assign(statement.parts[index]!, { status: 'FINISHED', outcome, updatedAt: Date.now() }),
    })
    end(statement, 'FINISHED', undefined)
  } catch (error) {
    const text = textOf(error as Error)
    if (current && !isOver(statement.status)) Object.assign(current, { status: 'FAILED', error: text, updatedAt: Date.now() })
    end(statement, 'FAILED', statement.batch && current ? `Query #${statement.parts.indexOf(current) + 1} failed with ${text}` : text)
  } finally {
    statement.session = undefined
    await session?.end().catch(() => {})
  }
}

/** In seconds; how long it took, in nanoseconds. */
const times = (from: number, to: number) => ({
  CreatedAt: seconds(from),
  UpdatedAt: seconds(to),
  Duration: Math.max(0, to - from) * 1_000_000,
})

const details = (part: Part) => ({
  QueryString: part.sql,
  Status: part.status,
  ...times(part.startedAt, part.updatedAt),
  RedshiftQueryId: 0,
  HasResultSet: part.outcome?.hasRows ?? false,
  ResultRows: part.outcome?.answer.rowCount ?? -1,
  ResultSize: part.outcome?.resultBytes ?? -1,
  ...(part.error === undefined ? {} : { Error: part.error }),
})

export function described(statement: Statement, id: string, part: Part | undefined) {
  const whole = {
    Id: id,
    Status: statement.status,
    ...times(statement.createdAt, statement.updatedAt),
    RedshiftPid: statement.session?.processId ?? 0,
    ...(statement.error === undefined ? {} : { Error: statement.error }),
    ...(statement.parameters.length > 0 ? { QueryParameters: statement.parameters } : {}),
  }
  if (part) return { ...whole, ...details(part), Id: id, Status: statement.batch ? part.status : statement.status }
  const last = statement.parts.at(-1)!
  return {
    ...whole,
    ExecutionMode: statement.together ? 'TRANSACTION' : 'AUTO_COMMIT',
    HasResultSet: statement.parts.some(({ outcome }) => outcome?.hasRows),
    ResultRows: last.outcome?.answer.rowCount ?? -1,
    ResultSize: last.outcome?.resultBytes ?? -1,
    SubStatements: statement.parts.map((one, i) => ({ Id: `${statement.id}:${i + 1}`, ...details(one) })),
  }
}

export function resultOf(statement: Statement, id: string, part: Part | undefined, token: string | undefined, rows: number) {
  if (!part?.outcome?.hasRows || statement.status !== 'FINISHED') {
    throw notFound('Query does not have result. Please check query status with DescribeStatement.', id)
  }
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString())
  if (!Number.isSafeInteger(from) || from < 0) throw invalid('The NextToken is not valid.')
  return pageOf(part.outcome, from, rows)
}
