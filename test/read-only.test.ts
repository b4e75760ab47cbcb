/**
 * Who may read a store and not write looks, queries, exports and verifies, whatever state the store was left in, and leaves nothing there.
 */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, start, until, type Ended } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'

const tricky = resolve('test/fixtures/tricky.csv')
/** Root may do everything, so somebody else looks. */
const nobody = process.getuid!() === 0 ? { uid: 65534, gid: 65534 } : {}

let folder: string
/** Where that user may write: a folder for what is exported. */
const theirs = mkdtempSync(join(tmpdir(), 'tidemark-theirs-'))
afterAll(() => rmSync(theirs, { recursive: true, force: true }))

beforeAll(async () => {
  folder = freshFolder()
  copyFileSync(tricky, join(folder, 'loans.csv'))
  await done(folder, 'backfill --years 2007 --file loans.csv')
  await done(folder, 'produce --years 2008-2010 --file loans.csv')
  await done(folder, 'up --until-caught-up')
  chmodSync(theirs, 0o755)
  if (nobody.uid !== undefined) chownSync(theirs, nobody.uid, nobody.gid)
}, limitMs)

/** A copy of the store that nobody but its owner may write to. */
function guarded(): string {
  const copy = freshFolder()
  cpSync(folder, copy, { recursive: true })
  lock(copy)
  return copy
}

function lock(path: string): void {
  const isFolder = statSync(path).isDirectory()
  if (isFolder) for (const name of readdirSync(path)) lock(join(path, name))
  chmodSync(path, isFolder ? 0o555 : 0o444)
}

function unlock(path: string): void {
  chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644)
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) unlock(join(path, name))
}

const asReader = (cwd: string, ...words: readonly string[]) =>
  new Promise<Ended>((ended, failed) => {
    const child = spawn(resolve('node_modules/.bin/node'), [resolve('tidemark.js'), ...words], {
      cwd,
      ...nobody,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.once('error', failed)
    child.once('close', (code) => ended({ code, out, err }))
  })

const filesIn = (path: string) => readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted()

describe('who may only read', { timeout: limitMs }, () => {
  it('looks, queries, exports and verifies, and leaves nothing in the store', async () => {
    const store = guarded()
    const before = filesIn(store)
    const says = async (...words: readonly string[]) => {
      const { code, out, err } = await asReader(store, ...words)
      expect([words.join(' '), code, err]).toEqual([words.join(' '), 0, ''])
      return out
    }
    expect(await says('query', 'SELECT count(*) > 0 AS some FROM loan_risk', '--format', 'csv')).toBe('some\n1\n')
    expect(await says('status')).toMatch(/^loan_risk +@0 +@0/m)
    expect(await says('plan')).toContain('loan_risk@1')
    expect(await says('versions')).toContain('loan_risk@0')
    expect(await says('schemas')).toContain('rejected_loan')
    expect(await says('topics')).toContain('outflow')
    expect(await says('topics', 'outflow', '--last', '1')).toContain('loan_risk')
    expect(await says('verify', 'loan_risk@0')).toContain('computed again and equal')
    expect(await says('export', 'loan_risk@0', '--out', join(theirs, 'rows'))).toContain('rows of loan_risk@0')
    const doctor = await asReader(store, 'doctor')
    expect(doctor.out).toContain('this user may read it and not write, which is enough to look')
    expect(doctor.out).not.toContain('cannot be')
    expect(filesIn(store)).toEqual(before)
    const { code, err } = await asReader(store, 'produce', '--years', '2011', '--file', 'loans.csv')
    expect([code, err]).toEqual([1, expect.stringMatching(/^tidemark: \S+ cannot be (written|opened|made)\. .*\n$/)])
    unlock(store)
  })

  it('sees what a writer writes while it runs', async () => {
    const store = guarded()
    unlock(store)
    const running = start(store, 'up')
    await until(() => /consume: /.test(running.err()))
    await done(store, 'produce --years 2011-2012 --file loans.csv')
    const { out, err } = await asReader(store, 'query', 'SELECT count(*) FROM loan_risk', '--format', 'csv')
    expect([err, Number(out.split('\n')[1]) > 0]).toEqual(['', true])
    expect((await asReader(store, 'status')).code).toBe(0)
    running.signal('SIGINT')
    await running.ended
  })

  it('is told in one line what to do about changes that nobody has brought in', async () => {
    const store = guarded()
    unlock(store)
    const running = start(store, 'up')
    await until(() => /consume: /.test(running.err()))
    await done(store, 'produce --years 2011-2012 --file loans.csv')
    running.signal('SIGKILL')
    await running.ended
    // The shared memory beside the file does not outlive a copy, or the machine.
    const copy = freshFolder()
    cpSync(store, copy, { recursive: true, filter: (file) => !file.endsWith('-shm') })
    lock(copy)
    const refused = await asReader(copy, 'status')
    expect(refused).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^tidemark: \S+\.db was left with changes beside it that this user cannot bring in\. Have .*\n$/),
    })
    unlock(copy)
    await done(copy, 'status')
    lock(copy)
    expect((await asReader(copy, 'status')).code).toBe(0)
    unlock(copy)
  })

  it('reads beside changes that were begun and hold nothing yet', async () => {
    const store = guarded()
    unlock(store)
    const warehouse = join(store, '.tidemark', 'warehouse.db')
    const db = new DatabaseSync(warehouse)
    db.exec('BEGIN IMMEDIATE; CREATE TABLE more (n); COMMIT')
    const begun = readFileSync(`${warehouse}-wal`).subarray(0, 32)
    const marks = readFileSync(`${warehouse}-shm`)
    db.close()
    writeFileSync(`${warehouse}-wal`, begun)
    writeFileSync(`${warehouse}-shm`, marks)
    lock(store)
    expect(await asReader(store, 'query', 'SELECT count(*) > 0 AS some FROM loan_risk', '--format', 'csv')).toEqual({
      code: 0,
      out: 'some\n1\n',
      err: '',
    })
    unlock(store)
  })

  it('finds nothing where there is nothing, and makes nothing', async () => {
    const empty = freshFolder()
    mkdirSync(join(empty, '.tidemark'))
    expect(await done(empty, 'status')).toContain('No feature set is applied yet: tidemark apply loan_risk@0')
    expect(await done(empty, 'plan')).toContain('loan_risk@0')
    expect(filesIn(empty)).toEqual(['.tidemark'])
  })
})
