/** The query command: rows as they come in memory that does not grow, Ctrl-C at any moment, and what a terminal is given. */
import { execFileSync, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, start, tidemark, until } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'

const tricky = resolve('test/fixtures/tricky.csv')
let folder: string
beforeAll(async () => {
  folder = freshFolder()
  await done(folder, `backfill --years 2007-2012 --file ${tricky}`)
}, limitMs)

const numbers = (count: string) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n ${count})`
const many = `${numbers('LIMIT 400000')} SELECT i, i / 7.0 AS seventh, hex(zeroblob(10)) || i AS digits FROM n`
const endless = `${numbers('')} SELECT count(*) FROM n`

/** The processes that this one has started. */
const childrenOf = (pid: number): number[] =>
  spawnSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
    .map(Number)

/** One that nobody has buried yet is gone. */
const isThere = (pid: number) => !/^(Z.*)?$/.test(spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout.trim())

describe('a query', { timeout: limitMs }, () => {
  it('prints as many rows as there are in memory that does not grow with them', async () => {
    // As one array the rows would take four times as much.
    const little = { NODE_OPTIONS: '--max-old-space-size=40' }
    const csv = await tidemark(folder, `query '${many}' --format csv`, little)
    expect([csv.code, csv.err]).toEqual([0, ''])
    const lines = csv.out.trimEnd().split('\n')
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([
      400_001,
      'i,seventh,digits',
      '400000,57142.857142857145,00000000000000000000400000',
    ])
    const json = await tidemark(folder, `query '${many}' --format json`, little)
    expect([json.code, json.err]).toEqual([0, ''])
    const rows = JSON.parse(json.out) as readonly unknown[]
    expect([rows.length, rows[6]]).toEqual([400_000, { i: 7, seventh: 1, digits: '000000000000000000007' }])
  })

  it('shows the first rows of many as a table, and says how to have all', async () => {
    const { code, out, err } = await tidemark(folder, `query '${numbers('LIMIT 50000')} SELECT i FROM n'`)
    expect([code, out.trimEnd().split('\n').length]).toEqual([0, 1002])
    expect(err).toBe('(the first 1 000 rows; there are more: all of them with --format csv or --format json)\n')
  })

  it('tells infinities and null apart in JSON, and refuses two columns of one name', async () => {
    expect(JSON.parse(await done(folder, `query 'SELECT 9e999 AS up, -9e999 AS down, null AS none' --format json`))).toEqual([
      { up: 'Infinity', down: '-Infinity', none: null },
    ])
    expect(await done(folder, `query 'SELECT 1 AS a WHERE false' --format json`)).toBe('[]')
    const twice = await tidemark(folder, `query 'SELECT 1 AS a, 2 AS a' --format json`)
    expect([twice.code, twice.err]).toEqual([
      1,
      'tidemark: two columns of the result are called a, and JSON would keep one. Name one of them otherwise: a AS other_name.\n',
    ])
    expect(await done(folder, `query 'SELECT 1 AS a, 2 AS a' --format csv`)).toBe('a,a\n1,2')
  })

  it('ends at Ctrl-C in the middle of a statement that would never end, exit 1, and leaves no process behind, killed or not', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      const running = start(folder, `query '${endless}'`)
      let pids: number[] = []
      await until(() => (pids = childrenOf(running.pid)).length > 0)
      running.signal(signal)
      const { code, out, err } = await running.ended
      if (signal !== 'SIGKILL') expect([code, out, err]).toEqual([1, '', 'tidemark: interrupted: these are not all rows\n'])
      for (const pid of pids) await until(() => !isThere(pid))
    }
  })
})

describe('a terminal', { timeout: limitMs }, () => {
  const node = resolve('node_modules/.bin/node')
  const onTerminal = (...words: readonly string[]) =>
    execFileSync('python3', ['-c', 'import pty, sys; pty.spawn(sys.argv[1:])', node, resolve('tidemark.js'), ...words], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  it('is given no control characters of cells and names; a file or a pipe gets every byte', async () => {
    const sql = `SELECT char(27) || '[31m' || char(155) || char(8238) || 'x' AS cell`
    for (const format of ['csv', 'json', 'table']) {
      const seen = onTerminal('query', sql, '--format', format)
      expect(seen).not.toMatch(/[\x1b\x9b\u202e]/)
      expect(seen).toMatch(format === 'json' ? /\\u001b\[31m··x/ : /·\[31m··x/)
    }
    expect(await done(folder, `query 'SELECT char(27) || char(155) || char(8238) AS cell' --format csv`)).toBe('cell\n\x1b\x9b\u202e')
    const name = onTerminal('produce', '--years', '2008', '--file', 'no\x1b]0;such\x07.csv')
    expect(name).not.toMatch(/[\x1b\x07]/)
    expect(name).toContain('no\\x1b]0;such\\x07.csv')
  })
})
