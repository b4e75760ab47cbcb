/** The warehouse in Amazon Redshift, through its Data API. */
import { Problem } from '../values/problem.ts'
import { bookkeeping } from '../sql/bookkeeping.ts'
import { changes, checkColumns, checkFactColumns } from '../sql/ddl.ts'
import { identifier, rowsTable, standingName, standingTable, type Target } from '../sql/names.ts'
import type { StoredColumn } from '../sql/declared.ts'
import { asOfIn } from './as-of.ts'
import { openDataApi, mostStatements, type Workgroup } from './api.ts'
import * as catalog from './catalog.ts'
import { fit, type TooLong } from './fit.ts'
import { factsLoad, lastOfEach, rowsLoad, type Load } from './load.ts'
import { columnsKnown } from './columns-known.ts'
import { patience, usualLimits, type Limits } from './patience.ts'
import { lockText, savedOf, saveStatements } from './progress.ts'
import { queries } from './queries.ts'
import { recordFrom, recordStatements } from './records.ts'
import { factChunks, newestChunks, rowChunks } from './rows.ts'
import { openStaging, type StagingPlace } from './staging.ts'
import { transactions } from './transactions.ts'
import { reasonOf } from './trouble.ts'
import { leastRowsForCopy, writerInto } from './write.ts'
import type { Columns } from '../values/columns.ts'
import type { Layout, Lot, Progress, Warehouse } from '../warehouse.ts'

export type RedshiftOptions = Workgroup & {
  readonly schema: string
  /** Without it every row goes in by INSERT, which suits thousands and not millions. */
  readonly staging?: StagingPlace | undefined
  /** What becomes of a text that is longer than its column. */
  readonly tooLong?: TooLong | undefined
}

/** For tests: how long to try, and what time it is for files left behind. */
export type RedshiftTuning = { readonly limits?: Partial<Limits>; readonly nowMs?: () => number }

/** A file that has lain so long is of a process that is gone: a write gives up before. */
const leftoverMs = 24 * 3_600_000

/** Opening makes nothing, and asks nothing. */
export async function openRedshiftWarehouse(
  options: RedshiftOptions,
  note: (text: string) => void,
  tuning: RedshiftTuning = {},
): Promise<Warehouse> {
  const { limits = {}, nowMs = Date.now } = tuning
  const { region, schema, tooLong = 'stop' } = options
  if ((options.workgroup === undefined) === (options.cluster === undefined)) {
    throw new Problem('the warehouse is in no workgroup and no cluster, or in both', 'Give exactly one of them in the config file.')
  }
  const target: Target = { dialect: 'redshift', schema }
  identifier(schema)
  const staging = options.staging && openStaging(region, options.staging)
  const retry = patience(options, note, { ...usualLimits, ...limits }, nowMs)
  const api = openDataApi(options)
  const sql = transactions(api, retry)

  const said = new Set<string>()
  const sayOnce = (kind: string, text: string) => {
    if (!said.has(kind)) note(text)
    said.add(kind)
  }
  const besides = async (what: string, work: () => Promise<unknown>) => {
    await work().catch((error: unknown) =>
      sayOnce(what, `${what} (${reasonOf(error)}); ours are removed after a day, by the next run that may`),
    )
  }
  const writer = writerInto({ target, transactions: sql, retry, staging, besides })

  const columns = columnsKnown(target, sql)
  const found = async (layout: Layout) => {
    const all = catalog.foundFrom(target, layout, await sql.read(catalog.foundStatements(target, layout)))
    columns.seen(`${layout.set}_rows`, all)
    const made = all.schema ? [] : [`CREATE SCHEMA ${identifier(schema)}`]
    const { statements, views, dropped } = changes(target, layout, all.found)
    for (const view of all.veiled.filter((name) => dropped.includes(name))) {
      const remedy = 'a superuser can allow it with ALTER USER … SYSLOG ACCESS UNRESTRICTED'
      sayOnce(view, `some grants on the view ${view} cannot be seen by this user and are lost when it is made anew: ${remedy}`)
    }
    return { ...all, statements: [...made, ...statements], views }
  }

  const asked = queries(sql, target)

  const fitting = (name: string, rows: Columns, stored: readonly StoredColumn[]): Columns => {
    const { rows: fit_, cut } = fit(name, rows, stored, tooLong)
    for (const [column, texts] of cut)
      note(`${texts === 1 ? '1 text' : `${texts} texts`} of ${column} in ${name} did not fit, and ${texts === 1 ? 'was' : 'were'} cut`)
    return fit_
  }
  const rowsToLoad = async ({ set, rows }: Lot, signal?: AbortSignal): Promise<Load> => {
    const names = rows.count === 0 ? [] : [...rows.byName.keys()]
    const stored = await columns.of(`${set}_rows`, names, { outage: true, signal })
    checkColumns(set, stored, names)
    return rowsLoad(target, set, rows.count === 0 ? rows : lastOfEach(fitting(set, rows, stored)), stored)
  }
  const load = async (loads: readonly Load[], progress: Progress | undefined, signal: AbortSignal | undefined) => {
    const isLarge = loads.some(({ rows }) => rows.count > leastRowsForCopy)
    if (isLarge && !staging)
      sayOnce('slow', 'rows go into Redshift by INSERT, which is slow for many: name a bucket under "staging" in the config file')
    if (isLarge) await clean()
    await writer.write({ loads, progress, signal })
  }

  let cleanedAt = -Infinity
  const clean = async () => {
    if (!staging || nowMs() - cleanedAt < leftoverMs) return
    cleanedAt = nowMs()
    await besides('files that were left in the staging bucket cannot be looked for', () =>
      staging.removeBefore(new Date(nowMs() - leftoverMs)),
    )
  }

  return {
    flush: staging ? { rows: 100_000, everyMs: 10_000 } : { rows: 10_000, everyMs: 10_000 },
    async plan(layout) {
      const { statements, views } = await found(layout)
      return { statements, views }
    },

    async arrange(layout, records) {
      const { statements: wanted, bookkeeping: there } = await found(layout)
      const noted = recordStatements(target, records)
      const [before, together] = halves(wanted, mostStatements - 1 - noted.length)
      const ours = there ? [] : Object.values(bookkeeping(target)).map((text) => text.replace('CREATE TABLE', 'CREATE TABLE IF NOT EXISTS'))
      const first = [...before, ...ours].sort((a, b) => Number(b.startsWith('CREATE SCHEMA')) - Number(a.startsWith('CREATE SCHEMA')))
      for (let from = 0; from < first.length; from += mostStatements) await sql.run(first.slice(from, from + mostStatements))
      columns.forget(layout)
      if (together.length + noted.length > 0) await sql.run([lockText(target), ...together, ...noted])
      columns.forget(layout)
    },

    async versions(set, signal) {
      const waiting = signal && { outage: true, signal }
      if (!(await columns.bookkeeping(waiting))) return []
      return (await sql.read([catalog.versionsStatement(target, set)], waiting))[0]!.map(recordFrom)
    },

    async write(set, rows, progress, signal) {
      if (rows.count === 0 && !progress) return
      await load([await rowsToLoad({ set, rows }, signal)], progress, signal)
    },

    async writeTogether(lots, progress, signal) {
      const loads: Load[] = []
      for (const lot of lots) if (lot.rows.count > 0) loads.push(await rowsToLoad(lot, signal))
      if (loads.length > 0 || progress) await load(loads, progress, signal)
    },

    async writeFacts(fact, changes, progress, signal) {
      const parts = changes.filter(({ count }) => count > 0)
      const names = [...(parts[0]?.byName.keys() ?? [])].filter((name) => name !== '_stands')
      const stored = await columns.of(standingName(fact), names, { outage: true, signal })
      if (parts.length > 0) checkFactColumns(fact, stored, names)
      const loads = parts.map((part) => factsLoad(target, fact, fitting(fact, part, stored), stored))
      if (loads.length > 0 || progress) await load(loads, progress, signal)
    },

    async forgetFacts(fact, places) {
      const isThere = (await columns.of(standingName(fact))).length > 0
      const gone = isThere ? [`DELETE FROM ${standingTable(target, fact)}`] : []
      await sql.run([lockText(target), ...gone, ...places.flatMap((place) => saveStatements(target, place))], { outage: true })
      for (const { reader } of places) writer.remember(reader, undefined)
    },

    async *facts(fact) {
      const stored = await columns.of(standingName(fact))
      if (stored.length === 0) return
      yield* factChunks(sql, standingTable(target, fact), stored)
    },

    // Its views look at the rows.
    async renew() {},

    async progress(reader) {
      if (!(await columns.bookkeeping())) return undefined
      const saved = await savedOf(target, sql, reader)
      writer.remember(reader, saved)
      return saved?.next
    },

    async *rows(set, version, { first, last }, names) {
      const stored = await columns.of(`${set}_rows`, names)
      if (stored.length === 0) return
      if (names) checkColumns(set, stored, names)
      const wanted = names ? names.map((name) => stored.find((one) => one.name === name)!) : stored
      yield* rowChunks(sql, rowsTable(target, set), stored, wanted, version, { first, last })
    },

    async *newest(set, version, options) {
      const stored = await columns.of(`${set}_rows`)
      if (stored.length > 0) yield* newestChunks(sql, rowsTable(target, set), stored, version, options)
    },

    async extent(set, version) {
      if ((await columns.of(`${set}_rows`)).length === 0) return undefined
      const text = `SELECT count(*), min("_seq"), max("_seq") FROM ${rowsTable(target, set)} WHERE "_version" = ${version}`
      const [rows, first, last] = (await sql.read([text]))[0]![0]!.map(Number) as [number, number, number]
      return rows === 0 ? undefined : { rows, first, last }
    },

    async remove(set, version, { first, last }) {
      if ((await columns.of(`${set}_rows`)).length === 0) return
      const text = `DELETE FROM ${rowsTable(target, set)} WHERE "_version" = ${version} AND "_seq" BETWEEN ${first} AND ${last}`
      await sql.run([lockText(target), text], { outage: true })
    },

    async dependents(set) {
      const [own, all] = await sql.read([catalog.ownViewsStatement(target, set), catalog.dependentsStatement(set)])
      return catalog.dependentsFrom(target, set, all!, own!)
    },

    ...asked,
    ...asOfIn({ target, transactions: sql, retry, staging, besides }),

    async close() {
      api.close()
      staging?.close()
    },
  }
}

/** More changes than one transaction can hold: what nobody sees yet, new columns and views that were not there, goes before the rest. */
function halves(statements: readonly string[], most: number): readonly [readonly string[], readonly string[]] {
  const isNew = isNewIn(statements)
  const together =
    statements.length > most ? statements.filter((text) => !isNew(text)) : statements.filter((text) => !text.startsWith('CREATE SCHEMA'))
  if (together.length > most) {
    const todo = 'Retire versions that nobody uses, and run this again.'
    throw new Problem(`${together.length} changes of views are too many for one transaction of Redshift`, todo)
  }
  return [statements.filter((text) => !together.includes(text)), together]
}

/** A view that takes the place of another is dropped, or replaced, in these statements. */
function isNewIn(statements: readonly string[]): (text: string) => boolean {
  const viewOf = (text: string) => /^(?:CREATE VIEW|COMMENT ON VIEW|DROP VIEW|CREATE OR REPLACE VIEW) (\S+)/.exec(text)?.[1]
  const changed = new Set(statements.filter((text) => /^(DROP|CREATE OR REPLACE) VIEW/.test(text)).map(viewOf))
  return (text) => {
    if (/^(CREATE SCHEMA|CREATE TABLE|ALTER TABLE \S+ ADD COLUMN) /.test(text)) return true
    // Which version is shown changes with all the others that show it.
    const view = /^(CREATE|COMMENT ON) VIEW/.test(text) ? viewOf(text) : undefined
    return view !== undefined && /_v\d+(_latest)?"$/.test(view) && !changed.has(view)
  }
}
