/** The SQL of the Data API test server: what is Redshift's goes through, what only PostgreSQL understands is refused by name. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { talkTo, type Talk } from './data-api-talk.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'

let api: TestDataApi
let talk: Talk

beforeAll(async () => {
  api = await startDataApi()
  talk = talkTo(api)
})
afterAll(() => api.stop())

const run = (...sqls: string[]) => talk.run(...sqls)
const rowsOf = (sql: string) => talk.rowsOf(sql)
const failure = (...sqls: string[]) => talk.failure(...sqls)

describe("Redshift's SQL", () => {
  const refusals: readonly (readonly [string, string])[] = [
    ['INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING', 'CONFLICT'],
    ['INSERT INTO t VALUES (1) RETURNING a', 'RETURNING'],
    ["INSERT INTO t SELECT 1 FROM pg_class WHERE relname = 'x'", 'not supported on Redshift tables'],
    ['SELECT a::numeric FROM t', 'numeric'],
    ['UPDATE t SET (a, b) = (1, 2)', '"("'],
    ['SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY a)', 'WINDOW'],
    ['CREATE INDEX i ON t (a)', 'not supported on Redshift tables'],
    ['SELECT ARRAY[1]', '"["'],
    ["SELECT '{}'::jsonb", 'type "jsonb" does not exist'],
    ['CREATE TABLE u (a UUID)', 'type "uuid" does not exist'],
    ['CREATE TABLE u (a BYTEA)', 'type "bytea" does not exist'],
    ['CREATE TABLE u (a INTEGER CHECK (a > 0))', 'CHECK'],
    ['SELECT * FROM generate_series(1, 2)', 'generate_series'],
    ["SELECT string_agg(s, ',') FROM t", 'string_agg'],
    ['SELECT now()', 'now()'],
    ["SELECT 't'::regclass", 'regclass'],
    ['SELECT a IS DISTINCT FROM 1 FROM t', 'DISTINCT'],
    ['SELECT DISTINCT ON (a) a FROM t', 'DISTINCT ON'],
    ['SELECT count(*) FILTER (WHERE a > 0) FROM t', '"("'],
    ['SELECT * FROM (VALUES (1)) AS v', 'VALUES'],
    ['SELECT a FROM t FOR UPDATE', 'FOR UPDATE'],
    ['DELETE FROM t AS x WHERE x.a = 1', 'alias'],
    ['ALTER TABLE t ADD COLUMN b INTEGER, ADD COLUMN c INTEGER', '","'],
    ['ALTER TABLE t ADD COLUMN IF NOT EXISTS b INTEGER', '"IF"'],
    ['CREATE TEMP TABLE u (a INTEGER) ON COMMIT DROP', 'COMMIT'],
    ['SELECT $$a$$', 'dollar'],
    ["SELECT E'a'", 'prefix'],
    ['BEGIN', 'BEGIN'],
    ['SELECT 1; SELECT 2', 'multiple commands'],
    ['MERGE INTO t USING t2 ON t.a = t2.a WHEN NOT MATCHED THEN INSERT VALUES (1)', 'MERGE'],
    ['MERGE INTO t USING (SELECT 1 AS a) AS s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)', 'source'],
  ]
  it.each(refusals)('is not: %s', async (sql, says) => {
    const error = await failure(sql)
    expect(error).toMatch(/^ERROR: /)
    expect(error).toContain(says)
  })

  it('is what a table of Redshift says about its rows on disk', async () => {
    await run(
      `CREATE TABLE "disk" ("a" BIGINT NOT NULL ENCODE az64 DISTKEY, b VARCHAR(10) ENCODE zstd, c VARCHAR, d TIMESTAMP WITHOUT TIME ZONE,
       PRIMARY KEY (a, b)) DISTSTYLE KEY COMPOUND SORTKEY ("a", b)`,
      "INSERT INTO disk VALUES (1, 'x', 'y', '2008-01-01 00:00:00')",
      "INSERT INTO disk VALUES (1, 'x', 'y', SYSDATE)",
      'CREATE TABLE disk2 DISTSTYLE EVEN SORTKEY (a) AS SELECT a, b FROM disk',
    )
    expect(await rowsOf('SELECT count(*) FROM disk2')).toEqual([[2]])
    const told = 'column_name, data_type, character_maximum_length'
    expect(await rowsOf(`SELECT ${told} FROM information_schema.columns WHERE table_name = 'disk' ORDER BY ordinal_position`)).toEqual([
      ['a', 'bigint', null],
      ['b', 'character varying', 10],
      ['c', 'character varying', 256],
      ['d', 'timestamp without time zone', null],
    ])
  })

  it('counts the bytes of a VARCHAR, in every table made like it', async () => {
    await run('CREATE TABLE bytes (s VARCHAR(5))', "INSERT INTO bytes VALUES ('éé'), (NULL)")
    expect(await failure("INSERT INTO bytes VALUES ('ééé')")).toMatch('Value too long for character type')
    expect(await failure('CREATE TEMP TABLE stage (LIKE bytes)', "INSERT INTO stage VALUES ('ééé')")).toMatch(
      /^Query #2 failed with ERROR: Value too long/,
    )
    await run(
      'ALTER TABLE bytes ADD COLUMN t VARCHAR(1)',
      'ALTER TABLE bytes ALTER COLUMN s TYPE VARCHAR(6)',
      "INSERT INTO bytes VALUES ('ééé', 'a')",
    )
    expect(await failure("INSERT INTO bytes VALUES ('a', 'é')")).toMatch('Value too long')
  })

  it('cuts a cast to text without a length, and keeps no decimals of a number without a precision', async () => {
    const long = "repeat('x', 300)"
    expect(await rowsOf(`SELECT length(${long}::varchar), length(CAST(${long} AS VARCHAR)), length(${long}::varchar(300))`)).toEqual([
      [256, 256, 300],
    ])
    await run('CREATE TABLE imprecise (a NUMERIC)', 'INSERT INTO imprecise VALUES (1.6)')
    expect(await rowsOf('SELECT a FROM imprecise')).toEqual([['2']])
  })

  it('takes names without regard to case, in quotation marks too', async () => {
    await run('CREATE TABLE "Names" ("Aa" INTEGER)')
    expect(await rowsOf('SELECT aA FROM NAMES')).toEqual([])
  })

  it('commits with TRUNCATE, and does not have some things in a transaction', async () => {
    await run('CREATE TABLE emptied (a INTEGER)', 'INSERT INTO emptied VALUES (1)')
    expect(await failure('TRUNCATE emptied', 'INSERT INTO nowhere VALUES (1)')).toMatch('Query #2')
    expect(await rowsOf('SELECT count(*) FROM emptied')).toEqual([[0]])
    await run('VACUUM DELETE ONLY emptied')
    await run('CREATE TABLE wide (s VARCHAR(5))')
    for (const sql of ['VACUUM emptied', 'ALTER TABLE wide ALTER COLUMN s TYPE VARCHAR(9)']) {
      expect(await failure(sql, 'SELECT 1')).toMatch('cannot run inside a transaction block')
      await run(sql)
    }
  })

  it('keeps the columns of a view that is replaced, and a view that others show', async () => {
    await run('CREATE TABLE base (a INTEGER, b INTEGER)', 'CREATE VIEW shown AS SELECT a FROM base')
    await run('CREATE OR REPLACE VIEW shown AS SELECT b AS a FROM base', 'CREATE VIEW over AS SELECT a FROM shown')
    expect(await failure('CREATE OR REPLACE VIEW shown AS SELECT a, b FROM base')).toMatch('columns of a view')
    expect(await failure('DROP VIEW shown')).toMatch('other objects depend on it')
    await run('DROP VIEW shown CASCADE', 'CREATE VIEW late AS SELECT a FROM public.base WITH NO SCHEMA BINDING')
  })

  it('merges from a table', async () => {
    await run('CREATE TABLE target (a INTEGER, b INTEGER)', 'INSERT INTO target VALUES (1, 1), (2, 2)')
    await run('CREATE TABLE source (a INTEGER, b INTEGER)', 'INSERT INTO source VALUES (2, 20), (3, 30)')
    await run(`MERGE INTO target USING source ON target.a = source.a
      WHEN MATCHED THEN UPDATE SET b = source.b WHEN NOT MATCHED THEN INSERT VALUES (source.a, source.b)`)
    expect(await rowsOf('SELECT a, b FROM target ORDER BY a')).toEqual([
      [1, 1],
      [2, 20],
      [3, 30],
    ])
  })

  it('knows who may see what', async () => {
    await run(
      'CREATE USER reader PASSWORD DISABLE',
      'CREATE TABLE granted (a INTEGER)',
      'GRANT SELECT ON granted TO reader',
      'GRANT SELECT ON granted TO PUBLIC',
    )
    const others = "relation_name = 'granted' AND identity_name <> 'tidemark'"
    expect(await rowsOf(`SELECT identity_name, privilege_type FROM svv_relation_privileges WHERE ${others} ORDER BY 1`)).toEqual([
      ['public', 'SELECT'],
      ['reader', 'SELECT'],
    ])
    expect(await rowsOf("SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'reader'")).toEqual([
      ['granted', 'SELECT'],
    ])
  })

  it('gives every text back as it was, whatever is in it', async () => {
    const awkward = fc.constantFrom("'", '\\', '"', '$', ';', '-', ':', '\n', '\r', '\t', '/*', '--', '$1', ':a', ',')
    const text = fc
      .string({ unit: fc.oneof(awkward, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })) })
      .filter((one) => !one.includes('\0'))
    const literal = (one: string) => `'${one.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
        expect(await rowsOf(`SELECT ${texts.map(literal).join(', ')}`)).toEqual([texts])
      }),
      { numRuns: 25 },
    )
  })

  it('refuses what is not Unicode', async () => {
    await expect(talk.single("SELECT '\ud800'")).rejects.toMatchObject({ name: 'SerializationException' })
    expect(await failure("SELECT 'a\0b'")).toMatch('invalid byte sequence')
  })
})
