/** The warehouse in Amazon Redshift, through its Data API. */
import { Problem } from '../values/problem.ts'
import { bookkeeping } from '../sql/bookkeeping.ts'
import { changes, checkColumns } from '../sql/ddl.ts'
import { identifier, rowsTable, standingName, standingTable, type Target } from '../sql/names.ts'
import type { StoredColumn } from '../sql/declared.ts'
import { openDataApi, mostStatements, type Workgroup } from './api.ts'
import * as catalog from './catalog.ts'
import { fit, lastOfEach, type TooLong } from './fit.ts'
import { patience, usualLimits, type Limits, type Waiting } from './patience.ts'
import { lockText, savedOf } from './progress.ts'
import { checkReads } from './reading.ts'
import { recordFrom, recordStatements } from './records.ts'
import { chunkOf, chunkText, leastChunk, mostChunk } from './rows.ts'
import { openStaging, type StagingPlace } from './staging.ts'
import { transactions } from './transactions.ts'
import { reasonOf } from './trouble.ts'
import { leastRowsForCopy, writerInto } from './write.ts'
import type { Layout, QueryResult, Warehouse } from '../warehouse.ts'

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

  const known = new Map<string, readonly StoredColumn[]>()
  let hasBookkeeping = false
  const seen = (set: string, { bookkeeping, stored }: catalog.Seen) => {
    hasBookkeeping = bookkeeping
    if (stored.length > 0) known.set(set, stored)
    return stored
  }
  /** A table is never made smaller, so what is known of it stays true. */
  const storedColumns = async (set: string, names: readonly string[] = [], waiting?: Waiting): Promise<readonly StoredColumn[]> => {
    const before = known.get(set)
    if (before && names.every((name) => before.some((one) => one.name === name))) return before
    return seen(set, catalog.seenFrom(set, await sql.read(catalog.seenStatements(target, set), waiting)))
  }
  const bookkeepingThere = async (waiting?: Waiting) => hasBookkeeping || (await storedColumns('tidemark_', [], waiting), hasBookkeeping)
  const found = async (layout: Layout) => {
    const all = catalog.foundFrom(target, layout.set, await sql.read(catalog.foundStatements(target, layout.set)))
    seen(layout.set, all)
    const made = all.schema ? [] : [`CREATE SCHEMA ${identifier(schema)}`]
    const { statements, views, dropped } = changes(target, layout, all.found)
    for (const view of all.veiled.filter((name) => dropped.includes(name))) {
      const remedy = 'a superuser can allow it with ALTER USER … SYSLOG ACCESS UNRESTRICTED'
      sayOnce(view, `some grants on the view ${view} cannot be seen by this user and are lost when it is made anew: ${remedy}`)
    }
    return { ...all, statements: [...made, ...statements], views }
  }

  async function* partsOf(text: string, signal?: AbortSignal): AsyncGenerator<QueryResult, void, undefined> {
    checkReads(text)
    signal?.throwIfAborted()
    try {
      for await (const { columns, rows } of sql.pages([`SET LOCAL search_path TO ${identifier(schema)}, public`, text], 2, signal)) {
        yield { columns, rows }
        signal?.throwIfAborted()
      }
    } catch (error) {
      if (!(error instanceof Problem && error.what.startsWith('Redshift refused'))) throw error
      throw new Problem(error.what, 'Correct the statement.', { cause: error })
    }
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
      hasBookkeeping = true
      if (together.length + noted.length > 0) await sql.run([lockText(target), ...together, ...noted])
      known.delete(layout.set)
    },

    async versions(set, signal) {
      const waiting = signal && { outage: true, signal }
      if (!(await bookkeepingThere(waiting))) return []
      return (await sql.read([catalog.versionsStatement(target, set)], waiting))[0]!.map(recordFrom)
    },

    async write(set, rows, progress, signal) {
      if (rows.count === 0 && !progress) return
      const names = [...rows.byName.keys()]
      const stored = await storedColumns(set, names, { outage: true, signal })
      checkColumns(set, stored, rows.count === 0 ? [] : names)
      const { rows: fitting, cut } = fit(set, rows, stored, tooLong)
      for (const [column, texts] of cut)
        note(`${texts === 1 ? '1 text' : `${texts} texts`} of ${column} in ${set} did not fit, and ${texts === 1 ? 'was' : 'were'} cut`)
      if (!staging && rows.count > leastRowsForCopy) {
        sayOnce('slow', 'rows go into Redshift by INSERT, which is slow for many: name a bucket under "staging" in the config file')
      }
      if (rows.count > leastRowsForCopy) await clean()
      await writer.write({ set, rows: rows.count === 0 ? rows : lastOfEach(fitting), stored, progress, signal })
    },

    async progress(reader) {
      if (!(await bookkeepingThere())) return undefined
      const saved = await savedOf(target, sql, reader)
      writer.remember(reader, saved)
      return saved?.next
    },

    async *rows(set, version, { first, last }, names) {
      const stored = await storedColumns(set, names)
      if (stored.length === 0) return
      if (names) checkColumns(set, stored, names)
      const columns = names ? names.map((name) => stored.find((one) => one.name === name)!) : stored
      for (let [from, limit] = [first, leastChunk]; ; limit = Math.min(mostChunk, limit * 2)) {
        let count = 0
        for await (const page of sql.pages([chunkText(rowsTable(target, set), columns, version, { from, last, limit })], 1)) {
          if (page.rows.length === 0) continue
          const chunk = chunkOf(columns, page.rows)
          count += chunk.rows.count
          from = chunk.next
          yield chunk.rows
        }
        if (count < limit) return
      }
    },

    async extent(set, version) {
      if ((await storedColumns(set)).length === 0) return undefined
      const text = `SELECT count(*), min("_seq"), max("_seq") FROM ${rowsTable(target, set)} WHERE "_version" = ${version}`
      const [rows, first, last] = (await sql.read([text]))[0]![0]!.map(Number) as [number, number, number]
      return rows === 0 ? undefined : { rows, first, last }
    },

    async remove(set, version, { first, last }) {
      if ((await storedColumns(set)).length === 0) return
      const text = `DELETE FROM ${rowsTable(target, set)} WHERE "_version" = ${version} AND "_seq" BETWEEN ${first} AND ${last}`
      await sql.run([lockText(target), text], { outage: true })
    },

    async dependents(set) {
      const [own, all] = await sql.read([catalog.ownViewsStatement(target, set), catalog.dependentsStatement(set)])
      return catalog.dependentsFrom(target, set, all!, own!)
    },

    async bytes() {
      try {
        return Number((await sql.read([catalog.sizeStatement(target)]))[0]![0]![0] ?? 0)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        return estimatedBytes()
      }
    },

    async query(text): Promise<QueryResult> {
      const rows: QueryResult['rows'][number][] = []
      let columns: readonly string[] = []
      for await (const part of partsOf(text)) {
        columns = part.columns
        for (const row of part.rows) rows.push(row)
      }
      return { columns, rows }
    },

    queryParts: partsOf,

    async close() {
      api.close()
      staging?.close()
    },
  }

  /** Where the sizes may not be looked at: eight bytes for each value. */
  async function estimatedBytes(): Promise<number> {
    const [tables] = await sql.read([catalog.rowTablesStatement(target)])
    const sizes = await Promise.all(
      tables!.map(async ([table, columns]) => {
        const [counted] = await sql.read([`SELECT count(*) FROM ${identifier(schema)}.${identifier(String(table))}`])
        return Number(counted![0]![0]) * Number(columns) * 8
      }),
    )
    return sizes.reduce((sum, size) => sum + size, 0)
  }
}

/** More changes than one transaction can hold: new columns, which nobody sees yet, go before the rest. */
function halves(statements: readonly string[], most: number): readonly [readonly string[], readonly string[]] {
  const isUnseen = (text: string) => /^(CREATE SCHEMA|CREATE TABLE|ALTER TABLE \S+ ADD COLUMN) /.test(text)
  const together =
    statements.length > most ? statements.filter((text) => !isUnseen(text)) : statements.filter((text) => !text.startsWith('CREATE SCHEMA'))
  if (together.length > most) {
    const todo = 'Retire versions that nobody uses, and run this again.'
    throw new Problem(`${together.length} changes of views are too many for one transaction of Redshift`, todo)
  }
  return [statements.filter((text) => !together.includes(text)), together]
}
