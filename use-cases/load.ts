/** `load`: tables become what their files say, and the facts that are made from them follow. */
import { load, type Loaded, type LoadOptions, type LoadPorts } from '../ingest/load.ts'
import { neededTables, type NeededFact } from '../ingest/needed.ts'
import type { FactTotals, LoadedTable } from '../ingest/place.ts'
import { previewLoad } from '../ingest/preview.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import type { Table } from '../schemas/record.ts'
import { claimRegistry } from '../streams/store.ts'
import type { Source } from '../utilities/source.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { eventsNeeded, factsNeeded } from './facts-needed.ts'
import type { Rejecting } from './file-rows.ts'

export type LoadAsked = Pick<LoadOptions, 'partial' | 'strict' | 'known' | 'signal' | 'agree' | 'report' | 'fromTopics'> & {
  /** Every version of every set of the definitions, and their tables. */
  readonly definitions: readonly Definition[]
  readonly defined: readonly Table[]
  readonly files: readonly { readonly table: string; readonly source: Source }[]
  readonly partitions: (fact: NeededFact['fact']) => number
  readonly dryRun: boolean
}

/** What became of a table, with the file of the lines that were rejected, where there are any. */
export type TableLoaded = LoadedTable & { readonly rejects: string | null }

export type LoadDone = {
  readonly ended: Loaded['ended'] | 'dry run'
  readonly tables: readonly TableLoaded[]
  readonly facts: { readonly [stream: string]: FactTotals }
  /** Of what is under way: rows and facts so far. */
  readonly underWay: { readonly rows: number; readonly of: number } | null
  /** Tables of a load that had been begun before, and is done now. */
  readonly finished: readonly string[]
}

type Ports = LoadPorts & Rejecting & { readonly warehouse: Warehouse }

export async function loadTables(ports: Ports, asked: LoadAsked): Promise<LoadDone> {
  const { files, partitions, dryRun, defined, definitions } = asked
  if (!dryRun) await claimRegistry(ports)
  const facts = await factsNeeded(ports, definitions)
  const tables = neededTables([...facts, ...(await eventsNeeded(ports, definitions))], defined)
  const given = files.map(({ table, source }) => ({ table: tables.find(({ name }) => name === table) ?? noTable(table), source }))
  const withRejects = given.map((one) => ({ ...one, rejects: dryRun ? nowhere : ports.rejects(one.table.name) }))
  const options = { ...asked, facts, tables, files: withRejects }
  const told = (read: readonly LoadedTable[]) =>
    read.map((one) => ({ ...one, rejects: one.totals.rejected > 0 && !dryRun ? ports.rejectsPath(one.table) : null }))
  if (dryRun) {
    const preview = await previewLoad(ports, options)
    return { ended: 'dry run', tables: told(preview.tables), facts: preview.facts, underWay: null, finished: [] }
  }
  const done = await load(ports, { ...options, partitions: ({ fact }) => partitions(fact) })
  return {
    ended: done.ended,
    tables: told(done.tables),
    facts: done.load?.totals ?? {},
    underWay: done.ended === 'interrupted' && done.load ? { rows: done.load.rowsDone, of: done.load.rows } : null,
    finished: done.finished?.tables.map(({ table }) => table) ?? [],
  }
}

const noTable = (name: string): never => {
  throw new Problem(`there is no table ${name}`, 'Name one of the definitions.')
}

/** A look writes no file. */
const nowhere = { path: '', keep: async () => 0, append: async () => {} }
