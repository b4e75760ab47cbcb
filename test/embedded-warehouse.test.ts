/** What is special to the warehouse in a file, and the text of its tables and views. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { columnOf } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import { openSqlite } from '../utilities/sqlite/database.ts'
import { bookkeeping } from '../utilities/sql/bookkeeping.ts'
import { changes } from '../utilities/sql/ddl.ts'
import { openEmbeddedWarehouse, type EmbeddedOptions } from '../utilities/sqlite/warehouse/warehouse.ts'
import { columnsFrom, layoutOf, plainRows, readRows } from './contracts/loan-rows.ts'
import { newDirectory } from './contracts/processes.ts'

function testDirectory(): string {
  const { dir, remove } = newDirectory()
  onTestFinished(remove)
  return dir
}

function testWarehouse(options?: EmbeddedOptions, dir = testDirectory()) {
  const warehouse = openEmbeddedWarehouse(join(dir, 'warehouse.db'), options)
  onTestFinished(warehouse.close)
  return { dir, warehouse }
}

describe('a query of the embedded warehouse', { timeout: 60_000 }, () => {
  it('reads and nothing else, whatever the statement and its spelling', async () => {
    const { dir, warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 3)))
    const out = join(dir, 'out.db')
    const hostile = [
      `VACUUM INTO '${out}'`,
      `vacuum main into '${out}'`,
      `/* SELECT 1 */ VaCuUm -- x\n INTO '${out}'`,
      `VACUUM INTO 'file:${out}?mode=rwc'`,
      'VACUUM',
      `ATTACH '${out}' AS other`,
      `attach database 'file:${out}' as other`,
      'DETACH main',
      `SELECT load_extension('${out}')`,
      `SELECT writefile('${out}', 'x')`,
      'PRAGMA journal_mode = DELETE',
      'PRAGMA user_version = 7',
      'PRAGMA writable_schema = 1',
      'PRAGMA wal_checkpoint(TRUNCATE)',
      'PRAGMA optimize',
      `PRAGMA temp_store_directory = '${dir}'`,
      'PRAGMA query_only = 0',
      `SELECT * FROM pragma_user_version(7)`,
      `SELECT * FROM pragma_wal_checkpoint`,
      'CREATE TEMP TABLE mine (a)',
      'CREATE VIRTUAL TABLE temp.mine USING fts5(a)',
      'CREATE TEMP VIEW mine AS SELECT 1',
      'DROP TABLE loan_rows',
      'WITH one AS (SELECT 1) INSERT INTO loan_rows SELECT * FROM loan_rows',
      'REPLACE INTO loan_rows SELECT * FROM loan_rows',
      'DELETE FROM loan_rows RETURNING *',
      'ALTER TABLE loan_rows ADD COLUMN mine',
      'REINDEX',
      'ANALYZE',
      'BEGIN IMMEDIATE',
      'SAVEPOINT mine',
      `SELECT fts3_tokenizer('mine', x'00')`,
      `SELECT 1; VACUUM INTO '${out}'`,
      `EXPLAIN DELETE FROM loan_rows`,
      `SELECT * FROM loan_rows; ATTACH '${out}' AS other`,
    ]
    // The shared memory beside the file is where readers leave their marks.
    const disk = () =>
      readdirSync(dir)
        .filter((name) => !name.endsWith('-shm'))
        .toSorted()
        .map((name) => [
          name,
          createHash('sha256')
            .update(readFileSync(join(dir, name)))
            .digest('hex'),
        ])
    await warehouse.query('SELECT 1')
    const before = disk()
    const parts = (sql: string) => warehouse.queryParts(sql)[Symbol.asyncIterator]()
    for (const sql of hostile) {
      const trouble = await warehouse.query(sql).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(trouble, sql).toBeInstanceOf(Problem)
      expect((trouble as Problem).message, sql).not.toContain('\n')
    }
    for (const sql of hostile.slice(0, 10)) await expect(partsRun(parts(sql)), sql).rejects.toThrow(Problem)
    expect(disk()).toEqual(before)
    expect((await warehouse.query(`SELECT count(*) FROM pragma_table_info('loan_rows')`)).rows).not.toEqual([[0]])
  })

  it('ends within a moment of being asked to, in the middle of a statement that would take hours', async () => {
    const { warehouse } = testWarehouse()
    const stop = new AbortController()
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
    const parts = warehouse.queryParts(endless, stop.signal)[Symbol.asyncIterator]()
    expect(await parts.next()).toEqual({ done: false, value: { columns: ['count(*)'], rows: [] } })
    const counted = parts.next()
    stop.abort(new Error('enough'))
    await expect(counted).rejects.toThrow('enough')
  })
})

/** To its end. */
async function partsRun(parts: AsyncIterator<unknown>): Promise<void> {
  while (!(await parts.next()).done);
}

describe('the embedded warehouse', { timeout: 60_000 }, () => {
  it('stores each type as SQL users expect it', async () => {
    const { warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    const row = { amount: 1, day: '2007-05-26', title: '2007', note: '1.0', _modified_ts: 5n, _version: 0, _seq: 1, ma50: 700 }
    await warehouse.write('loan', columnsFrom([row]))
    const columns = ['amount', 'day', 'title', 'note', '_modified_ts', '_version', '_seq', 'ma50']
    expect((await warehouse.query(`SELECT ${columns.map((name) => `typeof(${name})`).join(', ')} FROM loan`)).rows).toEqual([
      ['real', 'text', 'text', 'text', 'integer', 'integer', 'integer', 'real'],
    ])
    expect((await warehouse.query(`SELECT title || note, amount / 2, day >= '2007-05-26' FROM loan`)).rows).toEqual([['20071.0', 0.5, 1]])
  })

  it('finds a row of the base view by its key, in every version of the chain', async () => {
    const { warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(2, [2, 1, 0]), [])
    const planOf = async (sql: string) => (await warehouse.query(`EXPLAIN QUERY PLAN ${sql}`)).rows.map((row) => String(row.at(-1)))
    const steps = async (sql: string, table: string) =>
      (await planOf(sql)).filter((step) => new RegExp(`\\b(${table}|loan_rows)\\b`).test(step))
    const byKey = 'SELECT * FROM loan WHERE _seq = 5'
    expect(await steps(byKey, 'older')).toEqual(Array(3).fill('SEARCH older USING PRIMARY KEY (_version=? AND _seq=?)'))
    expect(await steps(byKey, 'newer')).toEqual(Array(3).fill('SEARCH newer USING PRIMARY KEY (_version=? AND _seq=?)'))
    const all = 'SELECT avg(ma50) FROM loan'
    expect(await steps(all, 'older')).toEqual(Array(3).fill('SEARCH older USING PRIMARY KEY (_version=?)'))
    expect(await steps(all, 'newer')).toEqual(Array(3).fill('SEARCH newer USING PRIMARY KEY (_version=? AND _seq=?)'))
  })

  it('takes rows that are handed over out of the hands of whoever wrote them, and others not', async () => {
    const { warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    const rows = plainRows(0, 1, 10_000)
    const [kept, given] = [columnsFrom(rows.slice(0, 5000)), { ...columnsFrom(rows.slice(5000)), transferable: true as const }]
    for (const part of [kept, given]) await warehouse.write('loan', part)
    expect([kept, given].map(({ byName }) => columnOf({ count: 0, byName }, '_seq', 'int').values.length)).toEqual([5000, 0])
    expect(await readRows(warehouse, 0)).toEqual(rows)
  })

  it('removes many rows in steps that leave room for others', async () => {
    const { warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 110_000)))
    let turns = 0
    const turn = () => void (turns++, (again = setImmediate(turn)))
    let again = setImmediate(turn)
    await warehouse.remove('loan', 0, { first: 5, last: 109_000 })
    clearImmediate(again)
    expect(turns).toBeGreaterThan(1)
    expect(await warehouse.extent('loan', 0)).toEqual({ rows: 1004, first: 1, last: 110_000 })
  })

  it('leaves a view that a user made alone', async () => {
    const { dir, warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    const user = openSqlite(join(dir, 'warehouse.db'))
    onTestFinished(() => user.close())
    user.exec('CREATE VIEW loan_vips AS SELECT * FROM loan_rows WHERE amount > 100')
    await warehouse.arrange(layoutOf(1, [1]), [])
    expect((await warehouse.query('SELECT count(*) FROM loan_vips')).rows).toEqual([[0]])
  })

  it('names the views of users that show those of a set, and which ones', async () => {
    const { dir, warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(1, [1, 0]), [])
    await warehouse.arrange({ ...layoutOf(0, [0]), set: 'loan_vip' }, [])
    expect(await warehouse.dependents('loan')).toEqual([])
    const user = openSqlite(join(dir, 'warehouse.db'))
    onTestFinished(() => user.close())
    user.exec(`CREATE VIEW a_copy AS SELECT * FROM loan;
      CREATE VIEW changes AS SELECT one._seq FROM "loan_v0" AS one JOIN LOAN_V1 AS two USING (_seq) JOIN "loan_rows" USING (_seq);
      CREATE VIEW loan_vips AS SELECT * FROM loan_vip;
      CREATE VIEW raw AS SELECT * FROM loan_rows`)
    expect(await warehouse.dependents('loan')).toEqual([
      { view: 'a_copy', uses: ['loan'] },
      { view: 'changes', uses: ['loan_v0', 'loan_v1'] },
    ])
    expect(await warehouse.dependents('loan_vip')).toEqual([{ view: 'loan_vips', uses: ['loan_vip'] }])
  })

  it('tells how much it takes on disk', async () => {
    const { warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    const before = await warehouse.bytes()
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 5000)))
    expect(await warehouse.bytes()).toBeGreaterThan(before + 5000 * 50)
  })

  it('says that nothing has been written yet, and makes no file, when it is only to be read', async () => {
    const dir = testDirectory()
    expect(() => testWarehouse({ readOnly: true, notEmpty: true }, dir)).toThrow(/nothing has been written.*Run: tidemark/)
    writeFileSync(join(dir, 'warehouse.db'), '')
    expect(() => testWarehouse({ readOnly: true, notEmpty: true }, dir)).toThrow(/nothing has been written.*Run: tidemark/)
    expect(statSync(join(dir, 'warehouse.db')).size).toBe(0)
    expect(existsSync(join(dir, 'warehouse.db-wal'))).toBe(false)
  })

  it('reads everything when it is opened only to be read, and cannot be written then', async () => {
    const { dir, warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 3)), { reader: 'r', next: 4 })
    const { warehouse: reader } = testWarehouse({ readOnly: true }, dir)
    expect(await readRows(reader, 0)).toEqual(plainRows(0, 1, 3))
    expect([await reader.progress('r'), await reader.versions(), (await reader.plan(layoutOf(0, [0]))).statements]).toEqual([4, [], []])
    expect((await reader.query('SELECT count(*) FROM loan')).rows).toEqual([[3]])
    await expect(reader.write('loan', columnsFrom(plainRows(0, 4, 4)))).rejects.toThrow(Problem)
  })
})

describe('the text of tables and views', () => {
  it('differs between dialects in the key, the schema and the comparing of dates alone', () => {
    const nothing = { columns: new Map<string, string>(), views: new Map<string, string>() }
    const [sqlite] = changes({ dialect: 'sqlite' }, layoutOf(0, []), nothing).statements
    const columns = (date: string) =>
      [
        '  "amount" DOUBLE PRECISION',
        `  "day" ${date}`,
        '  "title" VARCHAR(1024)',
        '  "note" VARCHAR(64)',
        '  "_modified_ts" BIGINT NOT NULL',
        '  "_version" INTEGER NOT NULL',
        '  "_seq" BIGINT NOT NULL',
        '  "ma50" DOUBLE PRECISION',
      ].join(',\n')
    expect(sqlite).toBe(`CREATE TABLE "loan_rows" (\n${columns('DATE TEXT')},\n  PRIMARY KEY ("_version", "_seq")\n) WITHOUT ROWID`)
    const [table, view] = changes({ dialect: 'redshift', schema: 'features' }, layoutOf(0, [0]), nothing).statements
    expect(table).toBe(`CREATE TABLE "features"."loan_rows" (\n${columns('DATE')}\n) SORTKEY ("_version", "_seq")`)
    expect(view).toBe(
      'CREATE VIEW "features"."loan_v0" AS\nSELECT "amount", "day", "title", "note", "ma50", "_modified_ts", "_version", "_seq"\n' +
        'FROM "features"."loan_rows"\nWHERE "_version" = 0',
    )
    expect(bookkeeping({ dialect: 'redshift', schema: 'features' }).tidemark_progress).toMatch(
      /^CREATE TABLE "features"."tidemark_progress"/,
    )
  })
})
