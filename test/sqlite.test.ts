/** What the door to SQLite says when a file or directory cannot be used. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openEmbeddedLog } from '../utilities/sqlite/log.ts'
import { Problem } from '../utilities/values/problem.ts'
import { openEmbeddedRegistry } from '../utilities/sqlite/registry.ts'
import { openSqlite } from '../utilities/sqlite/database.ts'
import { openEmbeddedWarehouse } from '../utilities/sqlite/warehouse/warehouse.ts'
import { newDirectory, nextLine, startChild } from './contracts/processes.ts'

function testDirectory(): string {
  const { dir, remove } = newDirectory()
  onTestFinished(remove)
  return dir
}

describe('a file or directory that cannot be used', { timeout: 60_000 }, () => {
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
    expect(refusal(() => openEmbeddedRegistry(join(dir, 'file', 'registry.db'), () => [])).what).toBe(
      `${join(dir, 'file')} is not a directory`,
    )
    expect(refusal(() => openEmbeddedWarehouse(join(dir, 'file', 'deeper', 'warehouse.db'))).what).toContain('is not a directory')
    expect(refusal(() => openEmbeddedWarehouse(join(dir, 'folder'))).what).toContain('cannot be opened')
    expect(refusal(() => openEmbeddedLog('/proc/nowhere/log.db')).what).toBe('the directory /proc/nowhere cannot be made')
  })

  it('says so to a user who may not write there', async () => {
    const dir = testDirectory()
    chmodSync(dir, 0o555)
    expect(await nextLine(startChild('intrude', join(dir, 'data', 'log.db')))).toMatch(
      /^the directory \S+data cannot be made\. Give this user the right/,
    )
    chmodSync(dir, 0o755)
    mkdirSync(join(dir, 'data'), { mode: 0o555 })
    expect(await nextLine(startChild('intrude', join(dir, 'data', 'log.db')))).toMatch(/^\S+log\.db cannot be opened\. Check/)
    chmodSync(join(dir, 'data'), 0o755)
    const log = openEmbeddedLog(join(dir, 'data', 'log.db'))
    onTestFinished(log.close)
    expect(await nextLine(startChild('intrude', join(dir, 'data', 'log.db')))).toMatch(/^\S+log\.db cannot be (written|opened)\./)
  })

  it('is told where the log lacks records that it had', async () => {
    const path = join(testDirectory(), 'log.db')
    const log = openEmbeddedLog(path)
    onTestFinished(log.close)
    await log.create('t', 1)
    const writer = await log.writer('w')
    const batch = { bytes: Buffer.from('ab'), ends: Uint32Array.of(1, 2) }
    for (let i = 0; i < 3; i++) await writer.commit({ append: [{ topic: 't', partition: 0, batch }], save: [] })
    const readAll = async () => {
      for await (const one of log.read('t', { partition: 0, from: 0 })) if (one.batch.ends.length === 0) throw new Error('nothing was read')
    }
    await readAll()
    const file = new DatabaseSync(path)
    for (const offset of [2, 0]) {
      file.exec(`DELETE FROM batches WHERE offset = ${offset}`)
      await expect(readAll()).rejects.toThrow(`the log lacks records from ${offset} on that it had`)
    }
    file.close()
  })

  it('is told apart from too many open files', async () => {
    const dir = testDirectory()
    const log = openEmbeddedLog(join(dir, 'log.db'))
    onTestFinished(log.close)
    writeFileSync(join(dir, 'loans.csv'), 'a')
    const child = startChild('crowd', join(dir, 'log.db'), join(dir, 'loans.csv'))
    expect(await nextLine(child)).toMatch(/log\.db cannot be opened: too many files are open\. End what holds so many/)
    expect(await nextLine(child)).toMatch(/loans\.csv cannot be opened: too many files are open/)
  })

  it('rolls back and says so when the disk is full, and goes on when there is room again', () => {
    const db = openSqlite(join(testDirectory(), 'small.db'), { tables: { t: 'CREATE TABLE t (a BLOB)' } })
    onTestFinished(() => db.close())
    const fill = () =>
      db.write(() => {
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
