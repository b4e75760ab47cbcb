/** What can be seen of a store from outside: the views, as SQL users see them, and what the store says of itself. */
import type { Ports } from '../../config/wire.ts'
import { loadPositions } from '../../streams/position.ts'
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import { streamOf } from '../../streams/stream.ts'
import { promotedIn, stateOf } from '../../versions/journal.ts'
import { loadState } from '../../versions/keep.ts'
import { unfinished } from './commands.ts'
import type { Cell } from './loans.ts'
import type { Seen } from './model.ts'
import type { Years } from './step.ts'

export type Row = { readonly [column: string]: Cell }

export type Look = {
  /** What commands on versions have left to do, and of which years a backfill is unfinished. */
  readonly unfinished: readonly string[]
  readonly backfillPending: Years | undefined
  readonly shown: number | undefined
  readonly retired: ReadonlySet<number>
  readonly known: ReadonlySet<number>
  /** By partition: messages in inflow, and the last record taken. */
  readonly inflow: readonly number[]
  readonly positions: readonly number[]
  readonly seen: Seen
  /** The rows by _seq; undefined where there is no such view. */
  readonly base: readonly Row[] | undefined
  readonly views: ReadonlyMap<number, readonly Row[]>
  /** How many rows there are of versions that have no view. */
  readonly leftOver: number
  /** Views that should show the newest row of each key, and do not. */
  readonly notNewest: readonly string[]
}

/** What an unfinished backfill is told by. */
const ofBackfill = /a backfill of (\d+)(?:-(\d+))?/

/** What SQL users see of these versions. */
export type Rows = Pick<Look, 'base' | 'views' | 'leftOver' | 'notNewest'>

export async function rowsSeen({ warehouse }: Pick<Ports, 'warehouse'>, set: string, versions: readonly number[]): Promise<Rows> {
  const names = new Set((await warehouse.query(`SELECT name FROM sqlite_schema`)).rows.map(([name]) => name))
  const rowsOf = async (view: string) =>
    names.has(view) ? objects(await warehouse.query(`SELECT * FROM ${view} ORDER BY _seq`)) : undefined
  const views = new Map<number, readonly Row[]>()
  for (const version of versions) {
    const rows = await rowsOf(`${set}_v${version}`)
    if (rows) views.set(version, rows)
  }
  const counted = `SELECT _version, count(*) AS n FROM ${set}_rows GROUP BY _version`
  const viewless = names.has(`${set}_rows`) ? objects(await warehouse.query(counted)) : []
  const leftOver = viewless.filter(({ _version }) => !views.has(_version as number)).reduce((sum, { n }) => sum + (n as number), 0)
  return { base: await rowsOf(set), views, leftOver, notNewest: await notNewest(warehouse, set, [...views.keys()]) }
}

async function notNewest(warehouse: Ports['warehouse'], set: string, versions: readonly number[]): Promise<string[]> {
  const ofKey = `SELECT name FROM pragma_table_info('tidemark_newest_${set}') WHERE name NOT IN ('_version', '_key', '_seq')`
  const key = (await warehouse.query(ofKey)).rows.map(([name]) => `"${String(name)}"`)
  const found: string[] = []
  for (const version of versions) {
    const view = `${set}_v${version}`
    const grouped = key.length > 0 ? `GROUP BY ${key.join(', ')}` : 'HAVING count(*) > 0'
    const newest = `SELECT ${[...key, 'max(_seq) AS _seq'].join(', ')} FROM ${view} ${grouped}`
    const shown = `SELECT ${[...key, '_seq'].join(', ')} FROM ${view}_latest`
    const off = `SELECT count(*) FROM (SELECT * FROM (${newest} EXCEPT ${shown}) UNION ALL SELECT * FROM (${shown} EXCEPT ${newest}))`
    if ((await warehouse.query(off)).rows[0]![0] !== 0) found.push(`${view}_latest`)
  }
  return found
}

export async function lookAt(ports: Ports, set: string, rowsAt: (versions: readonly number[]) => Promise<Rows>): Promise<Look> {
  const { checkpoints } = ports
  const lines = await unfinished(ports, set)
  const pending = lines.map((line) => ofBackfill.exec(line)).find((found) => found !== null)
  const state = await loadState(ports, set)
  const records = state.versions.map((own) => ({ version: own.version, state: stateOf(state, own) }))
  const positions = await loadPositions(checkpoints, set)
  return {
    unfinished: lines.filter((line) => !ofBackfill.test(line)),
    backfillPending: pending && [Number(pending[1]), Number(pending[2] ?? pending[1])],
    shown: promotedIn(state) ?? undefined,
    retired: new Set(records.filter(({ state }) => state === 'retired').map(({ version }) => version)),
    known: new Set(records.filter(({ state }) => state !== 'registered').map(({ version }) => version)),
    inflow: await messagesIn(ports),
    positions: positions.map(({ seq }) => seq),
    seen: new Map(
      records.map(({ version }) => [
        version,
        positions.map(({ runs }) => {
          const run = runs.findLast((one) => one.version === version)
          return { after: run?.after ?? 0, until: run?.until ?? null, origins: run?.origins ?? {} }
        }),
      ]),
    ),
    ...(await rowsAt(records.map(({ version }) => version))),
  }
}

function objects({ columns, rows }: Awaited<ReturnType<Ports['warehouse']['query']>>): Row[] {
  return rows.map((cells) => Object.fromEntries(columns.flatMap((name, i) => (name === '_modified_ts' ? [] : [[name, cells[i] as Cell]]))))
}

/** All that is kept, in the words of the ports; where offsets count more than messages, messages alone. */
export async function printOf({ log, checkpoints, registry, warehouse }: Ports): Promise<string> {
  const topics = (await log.topics()).map(({ topic, partitions }) => [topic, log.gapless ? partitions : partitions.length])
  const entriesOf = async (name: string) =>
    [...(await checkpoints.load(name))].map(([key, value]) => [key, Buffer.from(value).toString('latin1')])
  const entries = await Promise.all((await checkpoints.names('')).map(async (name) => [name, await entriesOf(name)]))
  const schemas = await Promise.all((await registry.subjects()).map((subject) => registry.list(subject)))
  const { rows: parts } = await warehouse.query('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name')
  const names = parts.flatMap(([type, name]) => (type === 'table' ? [name] : []))
  const tables = await Promise.all(names.map(async (name) => (await warehouse.query(`SELECT * FROM "${name}"`)).rows))
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
  return JSON.stringify([topics, entries, schemas, parts, tables], plain)
}

/** By partition; offsets need not count messages. */
async function messagesIn({ log }: Ports): Promise<number[]> {
  const { inflow } = streamOf(rejectedLoan)
  const partitions = (await log.topics()).find(({ topic }) => topic === inflow)?.partitions ?? []
  return Promise.all(
    partitions.map(async ({ first }, partition) => {
      let count = 0
      for await (const { batch } of log.read(inflow, { partition, from: first, joined: true })) count += batch.ends.length
      return count
    }),
  )
}
