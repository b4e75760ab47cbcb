/**
 * `repair`: makes schemas, tables, views, records and rows of a set again, from its journal and its history; whatever is there and right
 * stays.
 */
import { recordOf, type AvroSchema } from '../schemas/avro/schema.ts'
import { isFact } from '../schemas/fact.ts'
import { restoreKept } from '../streams/kept-schemas.ts'
import { knownVersions, streamsOf } from '../streams/known-versions.ts'
import { sinkReader, streamOf } from '../streams/stream.ts'
import { columnOf, pick, rowsWhere, type Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Progress } from '../utilities/warehouse.ts'
import type { VersionPorts, Watch } from './bring.ts'
import { carryOut, checkPossible } from './carry-out.ts'
import { compare, type RowAt } from './compare.ts'
import { refuseAmidstBackfill } from './handover.ts'
import { isComplete, type SetState } from './journal.ts'
import { loadState, openJournal, setsWithJournal, timeText } from './keep.ts'
import { computedAgain, historyGone, laterRows, ownedRows, partitionOf, type OwnedRows } from './owned.ts'
import { project } from './project.ts'

export type Repaired = {
  readonly schemas: number
  /** The statements that made tables and views fit. */
  readonly statements: readonly string[]
  readonly versions: readonly RepairedVersion[]
}

type RepairedVersion = {
  readonly version: number
  readonly checked: number
  readonly written: number
  readonly removed: number
  /** Why its rows were left as they are: history cannot make them any more. */
  readonly left: string | null
}

export type RepairOptions = Watch & { readonly set: string }

export async function repair(ports: VersionPorts, { set, ...watch }: RepairOptions): Promise<Repaired> {
  await refuseAmidstBackfill(ports, set)
  const journal = await openJournal(ports, set)
  try {
    if (journal.state.versions.length === 0) {
      throw new Problem(
        `nothing is known of ${set}: its journal lies in the log, which has none`,
        'Restore the log from a copy. Without one, the rows that are left can be read and exported; to compute on, ' +
          'start over in an empty data directory.',
      )
    }
    const schemas = (await restoreKept(ports)) + (await restoreVersions(ports, journal.state))
    await checkPossible(ports, journal.state, watch.signal)
    const statements = await project(ports, journal.state)
    const lost = await lostPlaces(ports, set)
    const versions: RepairedVersion[] = []
    for (const own of journal.state.versions) {
      if (own.retired || !isComplete(own)) continue
      versions.push({ version: own.version, ...(await repairRows(ports, { set, ...watch }, own.version)) })
    }
    await ports.warehouse.renew(set)
    // Every row that lay before is in place: the sink goes on with what is left.
    for (const place of lost) await ports.warehouse.write(set, { count: 0, byName: new Map() }, place)
    await carryOut(ports, journal, watch)
    await journal.decide({ kind: 'settle', at: timeText(ports.clock) })
    return { schemas, statements, versions }
  } finally {
    await journal.close()
  }
}

const fromCopy = 'Restore the registry from a copy: messages that name a schema it does not have can be read by nobody.'

/** How many are put back, by set: those that are not repaired now are computed on, too. The schemas of messages are under ''. */
export async function restoreSchemas(ports: VersionPorts): Promise<ReadonlyMap<string, number>> {
  const restored = new Map([['', await restoreKept(ports)]])
  for (const set of await setsWithJournal(ports.checkpoints)) restored.set(set, await restoreVersions(ports, await loadState(ports, set)))
  return restored
}

/** Every message names its schema: they come back under the ids that they had, or not at all. */
async function restoreVersions({ registry }: Pick<VersionPorts, 'registry'>, { set, versions }: SetState): Promise<number> {
  let restored = 0
  for (const { version, mode, schema, record } of versions) {
    for (const { id, definition } of [record, schema]) {
      if (id === '' || (await registry.find(id))) continue
      const lost = `the registry has lost the schema ${id} of ${set}`
      if (!registry.restore) throw new Problem(`${lost}, and it gives every schema that it takes another id`, fromCopy)
      // A store of before, of which no event was written yet.
      if (definition === '') throw new Problem(`${lost}, and nobody has written down what it was`, fromCopy)
      await registry.restore({ id, subject: id === schema.id ? set : subjectOf(definition), definition })
      if (id === schema.id) await registry.label(id, { set, version: String(version), mode })
      restored++
    }
  }
  return restored
}

/** Under which name the registry has the schema of a stream's messages. */
const subjectOf = (definition: string) => streamOf(recordOf(JSON.parse(definition) as AvroSchema)).name

/** Where the outflow of each stream of the set begins now, when the sink's place in it is gone and messages before are, too. */
async function lostPlaces({ log, registry, warehouse }: VersionPorts, set: string): Promise<readonly Progress[]> {
  const streams = streamsOf((await knownVersions(registry, set)).map(({ definition }) => definition))
  const topics = await log.topics()
  const parts = streams.flatMap((stream) =>
    (topics.find(({ topic }) => topic === stream.outflow)?.partitions ?? []).map(({ first }, partition) => ({
      first,
      reader: sinkReader(stream, partition),
    })),
  )
  const places = await Promise.all(
    parts.map(async ({ first, reader }) => (((await warehouse.progress(reader)) ?? 0) < first ? [{ reader, next: first }] : [])),
  )
  return places.flat()
}

type RepairedRows = Omit<RepairedVersion, 'version'>

async function repairRows(ports: VersionPorts, { set, ...watch }: RepairOptions, version: number): Promise<RepairedRows> {
  const { warehouse } = ports
  const owned = await ownedRows(ports, set, version)
  const { definition, partitions, isOnTheWay } = owned
  const done = { checked: 0, written: 0, removed: 0, left: null }
  // Before anything is written: half of its rows would be no better than none.
  const gone = await historyGone(ports, owned, watch.signal)
  if (gone) return { ...done, left: gone.message }
  const report = ({ rows, of }: { readonly rows: number; readonly of: number }) =>
    watch.report({ step: 'comparing rows', rows, seq: (done.checked += rows), of })
  const expected = partitions.map((one) => computedAgain(ports, definition, one, { signal: watch.signal, report }))

  const isLater = laterRows(ports, owned)
  const extra: number[] = []
  let bad: { readonly rows: Columns; readonly at: number[] } | undefined
  const flush = async () => {
    if (!bad) return
    await warehouse.write(set, pick(bad.rows, Int32Array.from(bad.at)), undefined, watch.signal)
    done.written += bad.at.length
    bad = undefined
  }
  /** Together with the others of its batch; it takes the place of whatever is there under its number. */
  const put = async ({ rows, row }: RowAt) => {
    if (bad?.rows !== rows) await flush()
    bad ??= { rows, at: [] }
    if (bad.at.at(-1) !== row) bad.at.push(row)
  }
  await compare(expected, warehouse.rows(set, version, { first: 0, last: Number.MAX_SAFE_INTEGER }), {
    missing: async (wanted) => (isOnTheWay(wanted.seq, partitionOf(owned, wanted).partition) ? undefined : put(wanted)),
    different: put,
    async extra(there, wanted) {
      if (isFact(definition.record)) {
        if (!(await isLater(partitionOf(owned, there), there.seq))) extra.push(there.seq)
        return
      }
      if (wanted) return put(wanted)
      if (await isLater(partitionOf(owned, there), there.seq)) return
      await warehouse.remove(set, version, { first: there.seq, last: there.seq })
      done.removed++
    },
  })
  await flush()
  watch.signal.throwIfAborted()
  done.removed += extra.length
  await writeAnew(ports, owned, new Set(extra), watch.signal)
  return done
}

/** Rows over facts have their numbers in common: with one that is too many all of its number go, and those that are wanted come back. */
async function writeAnew(
  ports: VersionPorts,
  { definition, partitions }: OwnedRows,
  seqs: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<void> {
  const { set, version } = definition
  for (const seq of seqs) await ports.warehouse.remove(set, version, { first: seq, last: seq })
  for (const one of seqs.size > 0 ? partitions : []) {
    for await (const rows of computedAgain(ports, definition, one, { signal, report: () => {} })) {
      const wanted = rowsWhere(columnOf(rows, '_seq', 'int').values, (seq) => seqs.has(seq))
      if (wanted.length > 0) await ports.warehouse.write(set, pick(rows, wanted), undefined, signal)
    }
  }
  signal.throwIfAborted()
}
