/** The embedded adapters against their contracts, and what is special to files that processes share. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openEmbeddedCheckpoints } from '../utilities/checkpoint/embedded-checkpoints.ts'
import { openEmbeddedLog } from '../utilities/log/embedded-log.ts'
import { Problem } from '../utilities/problem.ts'
import { openEmbeddedRegistry } from '../utilities/registry/embedded-registry.ts'
import type { Incompatibility } from '../utilities/registry/registry.ts'
import { openSqlite } from '../utilities/sqlite.ts'
import { bookkeeping, changes } from '../utilities/warehouse/ddl.ts'
import { openEmbeddedWarehouse } from '../utilities/warehouse/embedded-warehouse.ts'
import { checkpointContract } from './contracts/checkpoint-contract.ts'
import { columnsFrom, layoutOf, plainRows, readRows } from './contracts/loan-rows.ts'
import { logContract } from './contracts/log-contract.ts'
import { batchOf, numbered, readTexts } from './contracts/messages.ts'
import { newDirectory, nextLine, remainingLines, startChild } from './contracts/processes.ts'
import { registryContract } from './contracts/registry-contract.ts'
import { warehouseContract } from './contracts/warehouse-contract.ts'

/** The rule of backward compatibility that the contract's schemas are about: a new field needs a default. */
const newFieldsNeedDefaults: Incompatibility = (definition, earlier) => {
  type Schema = { readonly fields: readonly { readonly name: string; readonly default?: unknown }[] }
  const fields = (text: string) => (JSON.parse(text) as Schema).fields
  return earlier.flatMap((old) => fields(definition)
    .filter((field) => !('default' in field) && !fields(old).some(({ name }) => name === field.name))
    .map(({ name }) => `field ${name} is new and has no default`))
}

const inNewDirectory = <Store extends object>(store: (dir: string) => Store) => async () => {
  const { dir, remove } = newDirectory()
  return { ...store(join(dir, 'data')), dispose: async () => remove() }
}
const logStore = (dir: string) => ({
  log: async () => openEmbeddedLog(join(dir, 'log.db')),
  checkpoints: async () => {
    const checkpoints = openEmbeddedCheckpoints(join(dir, 'log.db'))
    onTestFinished(checkpoints.close)
    return checkpoints
  },
})

logContract('embedded', inNewDirectory(logStore))
checkpointContract('embedded', inNewDirectory(logStore))
registryContract('embedded', inNewDirectory((dir) => ({ registry: async () => openEmbeddedRegistry(join(dir, 'registry.db'), newFieldsNeedDefaults) })))
warehouseContract('embedded', inNewDirectory((dir) => ({ warehouse: async () => openEmbeddedWarehouse(join(dir, 'warehouse.db')) })))

function testDirectory(): string {
  const { dir, remove } = newDirectory()
  onTestFinished(remove)
  return dir
}

function testWarehouse(options?: { readonly readOnly?: boolean }, dir = testDirectory()) {
  const warehouse = openEmbeddedWarehouse(join(dir, 'warehouse.db'), options)
  onTestFinished(warehouse.close)
  return { dir, warehouse }
}

function testLog(dir = testDirectory()) {
  const log = openEmbeddedLog(join(dir, 'log.db'))
  onTestFinished(log.close)
  return { path: join(dir, 'log.db'), log }
}

describe('processes that share the files', () => {
  it('a committer that is killed loses nothing it acknowledged, and its checkpoint is the end of the log', async () => {
    const { path, log } = testLog()
    await log.create('numbers', 1)
    const checkpoints = openEmbeddedCheckpoints(path)
    onTestFinished(checkpoints.close)
    let reached = 0
    for (const lines of [1, 2, 9, 40, 17, 77]) {
      const child = startChild('count', path)
      for (let line = 0; line < lines; line++) reached = Number(await nextLine(child))
      // Wherever it is by now: between two commits, or in the middle of one.
      child.process.kill('SIGKILL')
      await child.ended
      for (const line of await remainingLines(child)) reached = Number(line)
      const texts = await readTexts(log, 'numbers')
      expect(texts).toEqual(numbered('', texts.length))
      expect(texts.length).toBeGreaterThanOrEqual(reached)
      expect(texts.length).toBeLessThanOrEqual(reached + 3)
      expect(new TextDecoder().decode((await checkpoints.load('counter')).get(''))).toBe(String(texts.length))
    }
  })

  it('a sink that is killed has its progress exactly where its rows end', async () => {
    const { dir, warehouse } = testWarehouse()
    for (const lines of [1, 5, 30]) {
      const child = startChild('rows', join(dir, 'warehouse.db'))
      let reached = 0
      for (let line = 0; line < lines; line++) reached = Number(await nextLine(child))
      await child.kill()
      for (const line of await remainingLines(child)) reached = Number(line)
      const last = (await warehouse.progress('child'))! - 1
      expect(last).toBeGreaterThanOrEqual(reached)
      expect(await warehouse.extent('loan', 0)).toEqual({ rows: last, first: 1, last })
    }
  })

  it('several may open a fresh file at the same moment and fill topics of their own', async () => {
    const dir = testDirectory()
    const path = join(dir, 'new', 'log.db')
    const topics = numbered('topic', 4)
    const errors = await Promise.all(topics.map((topic) => startChild('fill', path, topic).ended))
    expect(errors).toEqual(topics.map(() => ''))
    const log = openEmbeddedLog(path)
    onTestFinished(log.close)
    for (const topic of topics) expect(await readTexts(log, topic)).toEqual(numbered(topic, 40))
  })

  it('a reader never sees a gap or a mix while another process promotes and rolls back', async () => {
    const { dir, warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(1, [0]), [])
    await warehouse.write('loan', columnsFrom([...plainRows(0, 1, 200), ...plainRows(1, 1, 200)]))
    const child = startChild('flip', join(dir, 'warehouse.db'))
    const seen = new Set<string>()
    let flips = 0
    const counting = (async () => {
      while (flips < 60) {
        await nextLine(child)
        flips++
      }
    })()
    while (flips < 60) {
      const { rows } = await warehouse.query('SELECT count(*), min(_version), max(_version), count(DISTINCT _seq) FROM loan')
      seen.add(rows[0]!.join(' '))
      await new Promise((next) => setImmediate(next))
    }
    await counting
    await child.kill()
    expect([...seen].sort()).toEqual(['200 0 0 200', '200 1 1 200'])
  })

  it('a reader is not held up by a writer in the middle of its transaction, and sees none of it', async () => {
    const { path, log } = testLog()
    await log.create('inflow', 1)
    const writer = await log.writer('w')
    await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['before']) }] })
    const other = openSqlite(path)
    onTestFinished(() => other.close())
    other.exec(`BEGIN IMMEDIATE; UPDATE partitions SET next = 99; DELETE FROM batches`)
    expect(await readTexts(log, 'inflow')).toEqual(['before'])
    other.exec('ROLLBACK')
  })
})

describe('the embedded log', () => {
  it('yields a stored batch as it was appended, and a part of one without copying its bytes', async () => {
    const { log } = testLog()
    await log.create('inflow', 1)
    const writer = await log.writer('w')
    for (const texts of [numbered('a', 3), numbered('b', 2)]) await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(texts) }] })
    const fetched = await Array.fromAsync(log.read('inflow', { partition: 0, from: 1, to: 4 }))
    expect(fetched.map(({ offset, next, batch }) => [offset, next, [...batch.ends]])).toEqual([[1, 3, [2, 4]], [3, 4, [2]]])
    expect(fetched.map(({ batch }) => batch.bytes.buffer.byteLength)).toEqual([6, 4])
  })

  it('deletes in steps when there is much to delete, and counts the bytes that are left', async () => {
    const { log } = testLog()
    await log.create('inflow', 1)
    const writer = await log.writer('w')
    for (let i = 0; i < 150; i++) await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['12345', '67']) }] })
    await log.truncate('inflow', 0, 281)
    expect(await log.topics()).toEqual([{ topic: 'inflow', partitions: [{ first: 281, next: 300 }], bytes: 9 * 7 + 2 }])
  })
})

describe('the embedded warehouse', () => {
  it('stores each type as SQL users expect it', async () => {
    const { warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    await warehouse.write('loan', columnsFrom([{ amount: 1, day: '2007-05-26', title: '2007', note: '1.0', _modified_ts: 5n, _version: 0, _seq: 1, ma50: 700 }]))
    const columns = ['amount', 'day', 'title', 'note', '_modified_ts', '_version', '_seq', 'ma50']
    expect((await warehouse.query(`SELECT ${columns.map((name) => `typeof(${name})`).join(', ')} FROM loan`)).rows)
      .toEqual([['real', 'text', 'text', 'text', 'integer', 'integer', 'integer', 'real']])
    expect((await warehouse.query(`SELECT title || note, amount / 2, day >= '2007-05-26' FROM loan`)).rows).toEqual([['20071.0', 0.5, 1]])
  })

  it('finds a row of the base view by its key, in every version of the chain', async () => {
    const { warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(2, [2, 1, 0]), [])
    const planOf = async (sql: string) => (await warehouse.query(`EXPLAIN QUERY PLAN ${sql}`)).rows.map((row) => String(row.at(-1)))
    const byKey = await planOf('SELECT * FROM loan WHERE _seq = 5')
    expect(byKey.filter((step) => step.includes('_rows') || / (older|newer)\b/.test(step))).toEqual([
      'SEARCH older USING PRIMARY KEY (_version=? AND _seq=?)',
      'SEARCH older USING PRIMARY KEY (_version=? AND _seq=?)', 'SEARCH newer USING PRIMARY KEY (_version=? AND _seq=?)',
      'SEARCH older USING PRIMARY KEY (_version=? AND _seq=?)', 'SEARCH newer USING PRIMARY KEY (_version=? AND _seq=?)', 'SEARCH newer USING PRIMARY KEY (_version=? AND _seq=?)',
    ])
    const all = await planOf('SELECT avg(ma50) FROM loan')
    expect(all.filter((step) => step.includes('newer'))).toEqual(Array(3).fill('SEARCH newer USING PRIMARY KEY (_version=? AND _seq=?)'))
    expect(all.filter((step) => step.includes('older'))).toEqual(Array(3).fill('SEARCH older USING PRIMARY KEY (_version=?)'))
  })

  it('removes many rows in steps that leave room for others', async () => {
    const { warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 110_000)))
    let turns = 0
    const turn = () => void (turns++, again = setImmediate(turn))
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

  it('says that nothing has been written yet, and makes no file, when it is only to be read', async () => {
    const dir = testDirectory()
    expect(() => testWarehouse({ readOnly: true }, dir)).toThrow(/nothing has been written.*Run: tidemark/)
    writeFileSync(join(dir, 'warehouse.db'), '')
    expect(() => testWarehouse({ readOnly: true }, dir)).toThrow(/nothing has been written.*Run: tidemark/)
    expect(statSync(join(dir, 'warehouse.db')).size).toBe(0)
    expect(existsSync(join(dir, 'warehouse.db-wal'))).toBe(false)
  })

  it('reads everything when it is opened only to be read, and cannot be written then', async () => {
    const { dir, warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(0, [0]), [])
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 3)), { reader: 'r', next: 4 })
    const { warehouse: reader } = testWarehouse({ readOnly: true }, dir)
    expect(await readRows(reader, 0)).toEqual(plainRows(0, 1, 3))
    expect([await reader.progress('r'), await reader.versions(), await reader.plan(layoutOf(0, [0]))]).toEqual([4, [], []])
    expect((await reader.query('SELECT count(*) FROM loan')).rows).toEqual([[3]])
    await expect(reader.write('loan', columnsFrom(plainRows(0, 4, 4)))).rejects.toThrow(Problem)
  })
})

describe('the text of tables and views', () => {
  it('differs between dialects in the key and the schema alone', () => {
    const nothing = { columns: new Map<string, string>(), views: new Map<string, string>() }
    const [sqlite] = changes({ dialect: 'sqlite' }, layoutOf(0, []), nothing)
    const columns = [
      '  "amount" DOUBLE PRECISION', '  "day" DATE', '  "title" VARCHAR(1024)', '  "note" VARCHAR(64)',
      '  "_modified_ts" BIGINT NOT NULL', '  "_version" INTEGER NOT NULL', '  "_seq" BIGINT NOT NULL', '  "ma50" DOUBLE PRECISION',
    ].join(',\n')
    expect(sqlite).toBe(`CREATE TABLE "loan_rows" (\n${columns},\n  PRIMARY KEY ("_version", "_seq")\n) WITHOUT ROWID`)
    const [table, view] = changes({ dialect: 'redshift', schema: 'features' }, layoutOf(0, [0]), nothing)
    expect(table).toBe(`CREATE TABLE "features"."loan_rows" (\n${columns}\n) SORTKEY ("_version", "_seq")`)
    expect(view).toBe('CREATE VIEW "features"."loan_v0" AS\nSELECT "amount", "day", "title", "note", "ma50", "_modified_ts", "_version", "_seq"\n'
      + 'FROM "features"."loan_rows"\nWHERE "_version" = 0')
    expect(bookkeeping({ dialect: 'redshift', schema: 'features' }).tidemark_progress).toMatch(/^CREATE TABLE "features"."tidemark_progress"/)
  })
})

describe('a file or directory that cannot be used', () => {
  const refusal = (work: () => unknown): Problem => {
    try {
      work()
    } catch (error) {
      expect(error).toBeInstanceOf(Problem)
      expect((error as Problem).message).not.toContain('\n')
      expect((error as Problem).cause).toBeInstanceOf(Error)
      return error as Problem
    }
    throw new Error('it was not refused')
  }

  it('is a Problem of one line that keeps its cause', () => {
    const dir = testDirectory()
    writeFileSync(join(dir, 'file'), 'This is a text, and long enough that nobody takes it for anything else.'.repeat(20))
    mkdirSync(join(dir, 'folder'))
    expect(refusal(() => openEmbeddedLog(join(dir, 'file'))).what).toBe(`${join(dir, 'file')} is not a database`)
    expect(refusal(() => openEmbeddedRegistry(join(dir, 'file', 'registry.db'), () => [])).what).toBe(`${join(dir, 'file')} is not a directory`)
    expect(refusal(() => openEmbeddedWarehouse(join(dir, 'file', 'deeper', 'warehouse.db'))).what).toContain('is not a directory')
    expect(refusal(() => openEmbeddedWarehouse(join(dir, 'folder'))).what).toContain('cannot be opened')
    expect(refusal(() => openEmbeddedLog('/proc/nowhere/log.db')).what).toBe('the directory /proc/nowhere cannot be made')
  })

  it('says so to a user who may not write there', async () => {
    const dir = testDirectory()
    chmodSync(dir, 0o555)
    expect(await nextLine(startChild('intrude', join(dir, 'data', 'log.db')))).toMatch(/^the directory \S+data cannot be made\. Give this user the right/)
    chmodSync(dir, 0o755)
    mkdirSync(join(dir, 'data'), { mode: 0o555 })
    expect(await nextLine(startChild('intrude', join(dir, 'data', 'log.db')))).toMatch(/^\S+log\.db cannot be opened\. Check/)
    chmodSync(join(dir, 'data'), 0o755)
    const log = openEmbeddedLog(join(dir, 'data', 'log.db'))
    onTestFinished(log.close)
    expect(await nextLine(startChild('intrude', join(dir, 'data', 'log.db')))).toMatch(/^\S+log\.db cannot be (written|opened)\./)
  })

  it('rolls back and says so when the disk is full, and goes on when there is room again', () => {
    const db = openSqlite(join(testDirectory(), 'small.db'), { tables: { t: 'CREATE TABLE t (a BLOB)' } })
    onTestFinished(() => db.close())
    const fill = () => db.write(() => {
      for (let i = 0; i < 20; i++) db.prepare('INSERT INTO t VALUES (zeroblob(4000))').run()
    })
    db.exec('PRAGMA max_page_count = 12')
    expect(refusal(fill).what).toContain('no space left')
    expect(db.prepare('SELECT count(*) AS count FROM t').get()).toEqual({ count: 0 })
    db.exec('PRAGMA max_page_count = 1000')
    fill()
    expect(db.prepare('SELECT count(*) AS count FROM t').get()).toEqual({ count: 20 })
  })
})
