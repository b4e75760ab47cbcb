/** Folders with generated loans in them: made once, copied for a test, and dumped table by table to be compared. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { readConfig } from '../config/config.ts'
import { wire, type Ports } from '../config/wire.ts'
import type { Mode } from '../streams/position.ts'
import { v0, v1, v2 } from '../examples/loans/loan-risk.ts'
import { apply } from '../versions/apply.ts'
import { done, freshFolder, tidemark, warehouseOf } from './cli-run.ts'
import { columnsOf, readRows } from './oracle/compare.ts'

/** Never longer than this, also where other work keeps the machine busy. */
export const limitMs = 180_000

export async function generated(rows: number, seed = 11): Promise<string> {
  const folder = freshFolder()
  await done(folder, `generate --rows ${rows} --seed ${seed} --out loans.csv.gz`)
  return join(folder, 'loans.csv.gz')
}

/** The same in the folder, with a line that cannot be read after every 40th. */
export async function loansWithBadLines(folder: string, rows: number, seed: number): Promise<string> {
  await done(folder, `generate --rows ${rows} --seed ${seed} --out clean.csv`)
  const lines = readFileSync(join(folder, 'clean.csv'), 'utf8').split('\n')
  const path = join(folder, 'loans.csv')
  writeFileSync(path, lines.flatMap((line, i) => (i > 0 && i % 40 === 0 ? [line, `bad,${i},line`] : [line])).join('\n'))
  return path
}

/** v0 over 2007 to 2009: the first year as a batch, the others through the stream. */
export async function loansUntil2009(file: string): Promise<string> {
  const folder = freshFolder()
  await done(folder, 'apply loan_risk@0 --yes')
  await done(folder, `backfill --years 2007 --file ${file}`)
  await done(folder, `produce --years 2008-2009 --file ${file}`)
  await done(folder, 'up --until-caught-up')
  return folder
}

/**
 * The story that the oracle computes: v1 is applied cold after 2008, v2 forward-only after 2010, and the set of 2007 is computed beside
 * them.
 */
export async function tellStory(folder: string, file: string, config = ''): Promise<void> {
  const step = (words: string) => done(folder, `${words} ${config}`)
  await step('apply loan_risk@0 --yes')
  await step(`backfill --years 2007 --file ${file}`)
  await step(`backfill --years 2007 --features loan_risk_2007 --file ${file}`)
  await step(`produce --years 2008 --file ${file}`)
  await step('consume --until-caught-up')
  await step('apply loan_risk@1 --cold --yes')
  await step(`produce --years 2009-2010 --file ${file}`)
  await step('up --until-caught-up')
  await step('apply loan_risk@2 --forward-only --yes')
  await step(`produce --years 2011-2012 --file ${file}`)
  await step('consume --until-caught-up')
  await step('sink --until-caught-up')
}

/**
 * A folder for each version, in which it was applied before there was any data, and `take` brought all of it: what it computes with nothing
 * in its past.
 */
export async function computedFresh(take: (folder: string) => Promise<unknown>): Promise<{ readonly [version: number]: string }> {
  return Object.fromEntries(
    await Promise.all(
      [0, 1, 2].map(async (version) => {
        const folder = freshFolder()
        for (let one = 0; one <= version; one++) await done(folder, `apply loan_risk@${one} --yes`)
        await take(folder)
        return [version, folder] as const
      }),
    ),
  )
}

/** Another folder with the same data directory; what was ingested stays where it was. */
export function copyOf(folder: string): string {
  const copy = freshFolder()
  cpSync(join(folder, '.tidemark'), join(copy, '.tidemark'), { recursive: true })
  return copy
}

/** Writes a definitions file, and the words that have a command use it. */
export function withDefinitions(folder: string, text: string, file = 'features.ts'): string {
  const path = join(folder, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: path }))
  return '--config own.json'
}

/** Without a config file in the folder, those of the embedded profile. */
export async function withPorts<T>(folder: string, work: (ports: Ports) => Promise<T>, configFile?: string): Promise<T> {
  const ports = await wire({ ...readConfig(configFile && join(folder, configFile), {}), dataDir: join(folder, '.tidemark') })
  return work(ports).finally(() => ports.close())
}

/** Every row of every table, and the schema, of the three files. */
export function dumpOf(folder: string): Record<string, unknown> {
  return Object.fromEntries(
    ['log', 'registry', 'warehouse'].flatMap((file) => {
      const db = new DatabaseSync(join(folder, '.tidemark', `${file}.db`), { readOnly: true })
      try {
        const all = (sql: string) => {
          const statement = db.prepare(sql)
          statement.setReturnArrays(true)
          statement.setReadBigInts(true)
          return statement.all() as unknown as unknown[][]
        }
        const schema = all('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name')
        // A writer's epoch counts who came by, not what was done.
        const tables = schema.flatMap(([type, name]) => (type === 'table' && name !== 'writers' ? [String(name)] : []))
        return [[file, schema], ...tables.map((table) => [`${file}.${table}`, all(`SELECT * FROM ${table}`)])]
      } finally {
        db.close()
      }
    }),
  )
}

/** Every row of a view, as it is to the last digit. */
export const rowsIn = (folder: string, view: string) => rowsWith(folder, view, (name) => `CAST("${name}" AS TEXT)`)

/** The same without when they were computed. */
export const valuesIn = (folder: string, view: string) =>
  rowsWith(folder, view, (name) => {
    if (name === '_modified_ts') return undefined
    // More than a number of JavaScript holds.
    return name === '_known_ts' ? `CAST("${name}" AS TEXT)` : `"${name}"`
  })

function rowsWith(folder: string, view: string, shown: (name: string) => string | undefined) {
  const columns = columnsOf(warehouseOf(folder), view).flatMap((name) => shown(String(name)) ?? [])
  return readRows(warehouseOf(folder), `SELECT ${columns.join(', ')} FROM ${view} ORDER BY _seq`)
}

/** The one row that the statement gives. */
export const only = (folder: string, sql: string) => readRows(warehouseOf(folder), sql)[0]!

/** Exit 1, or the given one, with exactly these words, and every file as it was. */
export async function expectRefused(folder: string, words: string, says: string | RegExp, code = 1) {
  const before = dumpOf(folder)
  const ended = await tidemark(folder, words)
  expect(ended).toMatchObject({ code, out: '' })
  expect(ended.err.trim().split('\n').at(-1)).toMatch(typeof says === 'string' ? new RegExp(`^tidemark: ${escaped(says)}$`) : says)
  expect(dumpOf(folder)).toEqual(before)
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

export async function expectVerified(folder: string, ...versions: readonly number[]): Promise<void> {
  for (const version of versions) expect(await tidemark(folder, `verify loan_risk@${version}`)).toMatchObject({ code: 0 })
}

export const chain = [v0, v1, v2].map(({ definition }) => definition)

/** The signal and the reports that nobody needs. */
export const unwatched = { actor: { who: 'somebody', why: null }, partitions: 1, signal: new AbortController().signal, report: () => {} }

/** An apply that dies before its first row of history is written. */
export const cutShort = (folder: string, version: number, mode: Mode) =>
  withPorts(folder, async (ports) => {
    const warehouse = { ...ports.warehouse, write: () => Promise.reject(new Error('killed')) }
    await expect(apply({ ...ports, warehouse }, { chain, version, mode, ...unwatched })).rejects.toThrow('killed')
  })
