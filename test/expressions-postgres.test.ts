/** The expressions of `sql` fields against a real PostgreSQL, value by value. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expression } from '../schemas/expressions/expression.ts'
import type { Values } from '../schemas/expressions/values.ts'
import { noDay, noFlag, wholeAt, type Column, type Columns } from '../utilities/values/columns.ts'
import { startPostgres, type Session, type TestPostgres } from './aws/postgres.ts'
import { columns, expressionBy, oneOf, sqlTypes, valueBy, type Asked, type Chance } from './chance-expressions.ts'
import { randomFrom, seed } from './seeded.ts'

let postgres: TestPostgres
let session: Session

type Sort = keyof typeof sqlTypes
const kinds = Object.keys(sqlTypes) as Sort[]

/**
 * Each expression over all rows; where one row fails, row by row. A text that does not parse, or whose kinds do not fit, fails as a whole.
 */
const answers = `create function answers(texts text[]) returns setof text language plpgsql as $$
declare one text; found text[]; failed boolean[]; value text; last int;
begin
  select max(id) into last from given;
  foreach one in array texts loop
    begin
      execute format('select array_agg((%s)::text order by id) from given', one) into found;
      return next json_build_object('values', found)::text;
    exception when others then
      if sqlstate like '42%' then
        return next json_build_object('refused', sqlerrm)::text;
      else
        found := '{}'; failed := '{}';
        for row in 1..last loop
          begin
            execute format('select (%s)::text from given where id = %s', one, row) into value;
            found := found || value; failed := failed || false;
          exception when others then
            found := found || null::text; failed := failed || true;
          end;
        end loop;
        return next json_build_object('values', found, 'failed', failed)::text;
      end if;
    end;
  end loop;
end $$`

beforeAll(async () => {
  postgres = await startPostgres()
  const first = await postgres.session()
  await first.run(
    "create database exact template template0 encoding utf8 locale_provider builtin builtin_locale 'PG_UNICODE_FAST' locale 'C'",
  )
  await first.end()
  session = await postgres.session('exact')
  await session.run(answers)
  for (const type of Object.values(sqlTypes))
    await session.run(`create function k(given ${type}) returns ${type} language plpgsql volatile as 'begin return given; end'`)
  const cells = Object.entries(columns).map(([name, { kind }]) => `${name} ${sqlTypes[kind]}`)
  await session.run(`create table given (id int, ${cells.join(', ')})`)
})
afterAll(async () => {
  await session?.end()
  await postgres?.stop()
})

type Row = Readonly<Record<string, string | null>>

async function give(rows: readonly Row[]): Promise<void> {
  const names = Object.keys(columns)
  const cell = (value: string | null | undefined, kind: Sort) =>
    value === null || value === undefined ? 'null' : `'${value.replaceAll("'", "''")}'::${sqlTypes[kind]}`
  const tuples = rows.map(
    (row, i) => `(${[i + 1, ...names.map((name) => cell(row[name], columns[name as keyof typeof columns].kind))].join(', ')})`,
  )
  await session.run(`truncate given`)
  await session.run(`insert into given values ${tuples.join(', ')}`)
}

type Answer = { readonly values?: readonly (string | null)[]; readonly failed?: readonly boolean[]; readonly refused?: string }

async function asked(all: readonly Asked[]): Promise<readonly Answer[]> {
  const texts = all.map(({ theirs, kind }) => {
    if (kind === 'date') return `(${theirs}) - date '1970-01-01'`
    return kind === 'timestamp' ? `trunc(extract(epoch from (${theirs})) * 1000000)` : theirs
  })
  const { rows } = await session.run('select answers($1::text[])', [
    `{${texts.map((text) => `"${text.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`,
  ])
  return rows.map(([text]) => JSON.parse(text as string) as Answer)
}

/** The rows as the columns of a batch. */
function batchOf(rows: readonly Row[]): Columns {
  const byName = new Map<string, Column>()
  for (const [name, { kind }] of Object.entries(columns))
    byName.set(
      name,
      columnOf(
        kind,
        rows.map((row) => row[name] ?? null),
        name === 'q' ? 10 : 2,
      ),
    )
  return { count: rows.length, byName }
}

function columnOf(kind: Sort, cells: readonly (string | null)[], scale: number): Column {
  const wide = new Map<number, bigint>()
  const wholes = (of: (cell: string) => bigint) => {
    const values = Float64Array.from(cells, (cell, row) => {
      if (cell === null) return NaN
      const whole = of(cell)
      if (!Number.isSafeInteger(Number(whole))) wide.set(row, whole)
      return Number(whole)
    })
    return { values, wide }
  }
  switch (kind) {
    case 'integer':
      return { kind, ...wholes(BigInt) }
    case 'decimal':
      return { kind, scale, ...wholes((cell) => BigInt(cell.replace('.', ''))) }
    case 'timestamp':
      return { kind, ...wholes(microsOf) }
    case 'number':
      return { kind, values: Float64Array.from(cells, (cell) => (cell === null ? NaN : Number(cell))) }
    case 'flag':
      return { kind, values: Uint8Array.from(cells, (cell) => (cell === null ? noFlag : Number(cell === 'true'))) }
    case 'date':
      return { kind, days: Int32Array.from(cells, (cell) => (cell === null ? noDay : Date.parse(cell) / 86_400_000)) }
    case 'text': {
      const encoded = cells.map((cell) => Buffer.from(cell ?? ''))
      const ends = Int32Array.from(encoded)
      let end = 0
      for (const [row, text] of encoded.entries()) ends[row] = end += text.length
      const starts = ends.map((to, row) => (cells[row] === null ? -1 : to - encoded[row]!.length))
      return { kind, bytes: Buffer.concat(encoded), starts, ends }
    }
  }
}

const microsOf = (cell: string) =>
  BigInt(Date.parse(`${cell.slice(0, 19).replace(' ', 'T')}Z`)) * 1000n + BigInt(cell.slice(20).padEnd(6, '0'))

const failure = Symbol('failure')

/** As PostgreSQL writes it, but for what can be written in several ways. */
function ours({ column, bad }: Values, row: number): string | null | typeof failure {
  const reason = bad?.get(row)
  if (reason !== undefined) return failure
  switch (column.kind) {
    case 'integer':
    case 'timestamp':
      return wholeAt(column, row)?.toString() ?? null
    case 'decimal': {
      const whole = wholeAt(column, row)
      return whole === null ? null : plain(`${whole}e-${column.scale}`)
    }
    case 'number':
      return Number.isNaN(column.values[row]) ? null : String(column.values[row])
    case 'flag':
      return column.values[row] === noFlag ? null : String(column.values[row] === 1)
    case 'date':
      return column.days[row] === noDay ? null : String(column.days[row])
    case 'text':
      return column.starts[row]! < 0 ? null : Buffer.from(column.bytes.subarray(column.starts[row], column.ends[row])).toString()
    default:
      throw new TypeError(column.kind)
  }
}

/** Digits without a point or zeros at their end, and the exponent. */
function plain(text: string): string {
  const [digits = '', exponent = '0'] = text.split('e')
  const [before = '', behind = ''] = digits.split('.')
  const whole = BigInt(before + behind)
  const all = whole.toString().replace(/0+$/, '')
  return whole === 0n ? '0' : `${all}e${Number(exponent) - behind.length + whole.toString().length - all.length}`
}

function theirs({ values, failed }: Answer, row: number, kind: Sort): string | null | typeof failure {
  if (failed?.[row]) return failure
  const value = values![row] ?? null
  if (value === null) return null
  return kind === 'decimal'
    ? plain(value)
    : kind === 'number'
      ? String(Number(value))
      : kind === 'timestamp'
        ? String(BigInt(value))
        : value
}

const scope = new Map(Object.entries(columns))

const rowsBy = (chance: Chance, many: number): readonly Row[] =>
  Array.from({ length: many }, () =>
    Object.fromEntries(Object.entries(columns).map(([name, one]) => [name, valueBy(chance, one.kind, 'scale' in one ? one.scale : 0)])),
  )

/** What differs in an expression, over all rows. */
function difference(one: Asked, found: Values, answer: Answer, rows: readonly Row[]): string | undefined {
  for (const row of rows.keys()) {
    if (found.bad?.get(row) === 'beyond 300 digits') continue
    const [us, them] = [ours(found, row), theirs(answer, row, one.kind)]
    if (us === them) continue
    const said = `we: ${String(us)} (${found.bad?.get(row)})\n  PostgreSQL: ${String(them)}, asked ${one.theirs}`
    return `${one.ours}\n  of ${JSON.stringify(rows[row])}\n  ${said}`
  }
  return undefined
}

/** The shortest say most. */
const nothingWrong = (wrong: readonly string[]) =>
  expect(
    wrong
      .toSorted((a, b) => a.length - b.length)
      .slice(0, 5)
      .join('\n'),
    `seed ${seed}: ${wrong.length} expressions differ`,
  ).toBe('')

it('gives what PostgreSQL gives for expressions by chance, value by value, or fails where it fails', async () => {
  const chance = randomFrom(seed)
  const wrong: string[] = []
  let compared = 0
  for (let round = 0; round < 5; round++) {
    const rows = rowsBy(chance, 16)
    const all = Array.from({ length: 300 }, () => expressionBy(chance)(oneOf(chance, kinds), 1 + Math.floor(chance() * 4)))
    await give(rows)
    const answers = await asked(all)
    const batch = batchOf(rows)
    for (const [i, one] of all.entries()) {
      const [found, answer] = [evaluated(one.ours, batch), answers[i]!]
      compared += rows.length
      if (typeof found === 'string' || answer.refused !== undefined)
        wrong.push(
          `${one.ours}\n  we: ${typeof found === 'string' ? found : 'a value'}\n  PostgreSQL: ${answer.refused}, asked ${one.theirs}`,
        )
      else wrong.push(difference(one, found, answer, rows) ?? '')
    }
  }
  nothingWrong(wrong.filter((about) => about !== ''))
  expect(compared).toBe(24_000)
})

it('means without parentheses what PostgreSQL means, or is refused', async () => {
  const chance = randomFrom(seed)
  const rows = rowsBy(chance, 12)
  const all = Array.from({ length: 600 }, () =>
    expressionBy(chance, { parentheses: false })(oneOf(chance, ['flag', 'flag', 'integer', 'text'] as const), 3),
  )
  await give(rows)
  const answers = await asked(all)
  const batch = batchOf(rows)
  let both = 0
  const wrong = all.flatMap((one, i) => {
    const [found, answer] = [evaluated(one.ours, batch), answers[i]!]
    if (typeof found === 'string' || answer.refused !== undefined) return []
    both++
    return difference(one, found, answer, rows) ?? []
  })
  nothingWrong(wrong)
  expect(both).toBeGreaterThan(200)
})

function evaluated(text: string, batch: Columns): Values | string {
  try {
    return expression('result', text, scope).evaluate(batch)
  } catch (error) {
    return (error as Error).message
  }
}
