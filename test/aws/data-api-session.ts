/** One statement of the Data API, or one batch, run to its end in a session of its own. */
import type { Answer } from 'pg'
import { columnsOf, recordsOf, sizeOf } from './data-api-answers.ts'
import { copyInto } from './data-api-copy.ts'
import { unloadTo } from './data-api-unload.ts'
import type { Session, TestPostgres } from './postgres.ts'
import { translate, type Translated } from './redshift-sql.ts'
import { SqlError, type Backslash } from './redshift-sql-words.ts'

export type Parameter = { readonly name: string; readonly value: string }
export type Place = {
  readonly postgres: TestPostgres
  readonly database: string
  readonly backslash: Backslash
  readonly s3: string | undefined
  readonly mostResultBytes: number
}
export type Outcome = { readonly answer: Answer; readonly hasRows: boolean; readonly resultBytes: number }

/** The longest row that a result may have. */
const mostRowBytes = 64 * 1024

export type Run = {
  readonly statements: readonly string[]
  readonly parameters: readonly Parameter[]
  /** A batch: one transaction. Else each statement is committed by itself. */
  readonly together: boolean
  /** Throws to let what was run be rolled back. */
  beforeCommit(): void
  started(index: number): void
  finished(index: number, outcome: Outcome): void
}

export async function runIn(place: Place, session: Session, run: Run): Promise<void> {
  let open = false
  const begin = async () => {
    await session.run('BEGIN')
    open = true
  }
  const commit = async () => {
    run.beforeCommit()
    open = false
    await session.run('COMMIT')
  }
  try {
    for (const [index, sql] of run.statements.entries()) {
      run.started(index)
      const statement = translate(sql, place.backslash)
      if (statement.outsideTransactions && run.together) {
        throw new SqlError(`${sql.trim().split(/\s+/, 2).join(' ').toUpperCase()} cannot run inside a transaction block`)
      }
      if (!open && !statement.outsideTransactions) await begin()
      const answer = await one(place, session, statement, run.parameters)
      run.finished(index, outcomeOf(answer, place.mostResultBytes))
      if (open && (statement.commits || !run.together)) await commit()
    }
    if (open) await commit()
  } catch (error) {
    if (open) await session.run('ROLLBACK').catch(() => {})
    throw error
  }
}

async function one(place: Place, session: Session, statement: Translated, parameters: readonly Parameter[]): Promise<Answer> {
  if (statement.copy) return copyInto(statement.copy, session, place)
  if (statement.unload) return unloadTo(statement.unload, translate(statement.unload.select, place.backslash).text, session, place)
  const values = statement.parameters.map((name) => {
    const found = parameters.find((one) => one.name === name)
    if (!found) throw new SqlError(`syntax error at or near ":": no parameter ${name} was given`)
    return found.value
  })
  if (statement.replacedView === undefined) return session.run(statement.text, values)
  const before = await viewColumns(session, statement.replacedView)
  const answer = await session.run(statement.text, values)
  if (before !== '' && before !== (await viewColumns(session, statement.replacedView))) {
    throw new SqlError('cannot change the columns of a view with CREATE OR REPLACE VIEW')
  }
  return answer
}

async function viewColumns(session: Session, view: string): Promise<string> {
  const literal = view.replaceAll(' ', '').replaceAll("'", "''")
  const of = `attrelid = to_regclass('${literal}') AND attnum > 0`
  const { rows } = await session.run(`SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE ${of} ORDER BY attnum`)
  return JSON.stringify(rows).replace('[]', '')
}

function outcomeOf(answer: Answer, mostResultBytes: number): Outcome {
  const hasRows = answer.fields.length > 0
  let resultBytes = 0
  for (const row of hasRows ? answer.rows : []) {
    const bytes = sizeOf(row)
    if (bytes > mostRowBytes) throw new SqlError(`the row of a result is ${bytes} bytes, more than ${mostRowBytes}`)
    resultBytes += bytes
  }
  if (resultBytes > mostResultBytes) throw new SqlError(`the result is ${resultBytes} bytes, more than ${mostResultBytes}`)
  return { answer, hasRows, resultBytes }
}

/** A page of a result; `next` is missing on the last. */
export function pageOf({ answer }: Outcome, from: number, rows: number) {
  const to = Math.min(answer.rows.length, from + rows)
  return {
    ColumnMetadata: columnsOf(answer),
    Records: recordsOf(answer, from, to),
    TotalNumRows: answer.rows.length,
    ...(to < answer.rows.length ? { NextToken: Buffer.from(String(to)).toString('base64') } : {}),
  }
}
