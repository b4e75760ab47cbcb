/** `verify FACT`: whether the facts that the tables make, those that `inflow` tells of, and those in the warehouse are the same. */
import { isDeepStrictEqual } from 'node:util'
import { bringTables } from '../ingest/cache.ts'
import { factMaker } from '../ingest/facts-of.ts'
import { loadPlace, loadWords, type IngestPlace } from '../ingest/place.ts'
import { tableSchema, type KnownTable } from '../ingest/table-rows.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { tablesOf } from '../schemas/joined.ts'
import { factsReader, standsAs, streamOf } from '../streams/stream.ts'
import type { Lease } from '../utilities/lease.ts'
import type { Tables } from '../utilities/tables.ts'
import { partitionOf } from '../utilities/values/partition.ts'
import { Problem } from '../utilities/values/problem.ts'
import { collector } from '../versions/differences.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { factsNeeded } from './facts-needed.ts'
import { each, toldFacts, type Told } from './told-facts.ts'
import { unlessAborted } from './row-files.ts'

type Ports = Pick<VersionPorts, 'log' | 'checkpoints' | 'registry' | 'warehouse'> & {
  /** Empty ones: the tables are made again from the log, so that nothing rests on what lies on disk. */
  readonly tables: Tables
  /** Takes the border, so that nobody writes there meanwhile; nothing where that cannot be, or need not. */
  readonly border?: () => Promise<Lease | undefined>
}

type Asked = {
  readonly fact: string
  readonly signal: AbortSignal
  readonly report: (facts: number) => void
  /** Facts in memory at a time. */
  readonly atOnce?: number
}

/** Of a fact, or one of its fields, as each of the three has it. */
type FactDifference = {
  /** Of the fact, where it is a later one than the first. */
  readonly version?: number
  readonly key: string
  readonly column: string
  readonly tables: string
  readonly inflow: string
  readonly table: string
}

export type FactProof = {
  /** How many of the fact there are: each is proved. */
  readonly versions: number
  /** Of all of them together. */
  readonly facts: number
  /** What became of so many facts has still to be brought to the warehouse: there they are not compared. */
  readonly notSunk: number
  readonly differences: number
  readonly first: readonly FactDifference[]
  readonly equal: boolean
}

const noId = '00000000-0000-0000-0000-000000000000'

/** undefined when it was told to stop: a proof that was cut short is none. */
export const verifyFact = async (ports: Ports, asked: Asked): Promise<FactProof | undefined> => {
  const lease = await ports.border?.()
  return unlessAborted(asked.signal, proofOf(ports, asked)).finally(() => lease?.close())
}

/** The versions of a fact that sets are over. */
const versionsNamed = async (ports: Ports, name: string): Promise<readonly FactSchema[]> => {
  const facts = (await factsNeeded(ports, [])).filter(({ retired }) => !retired).map(({ fact }) => fact)
  const found = facts.filter((fact) => fact.name === name)
  if (found.length > 0) return found
  const names = [...new Set(facts.map((fact) => fact.name))].map((one) => `, or a fact: ${one}`)
  throw new Problem(
    `${name} is not SET@VERSION, nor a fact that a feature set is over`,
    `Name a version of a feature set, e.g. ${name}@1${names.join('')}.`,
    { usage: true },
  )
}

async function proofOf(ports: Ports, { fact: name, signal, report, atOnce = 500_000 }: Asked): Promise<FactProof> {
  const { checkpoints } = ports
  const versions = await versionsNamed(ports, name)
  const place = await loadPlace(checkpoints)
  refuseUnderWay(place, name)
  await bringTables(ports, await knownTables(ports, versions[0]!), place)

  const differences = collector<FactDifference>()
  let [facts, notSunk] = [0, 0]
  for (const fact of versions) {
    const { version } = fact.fact
    const ends = await endsOf(ports, fact)
    const count = [...factMaker(fact, ports.tables).standing()].reduce((sum, one) => sum + one.count, 0)
    // So many at a time as memory is to hold, by their keys.
    const shares = Math.max(1, Math.ceil(count / atOnce))
    for (let share = 0; share < shares; share++) {
      const isOf = (key: string) => shares === 1 || partitionOf(key, shares) === share
      const add = (one: Omit<FactDifference, 'version'>) => differences.add({ ...one, ...(version > 0 && { version }) })
      const found = await compared(ports, fact, { ends, isOf, signal, report, add })
      facts += found.facts
      notSunk += found.notSunk
      signal.throwIfAborted()
    }
  }
  if (JSON.stringify(await loadPlace(checkpoints)) !== JSON.stringify(place))
    throw new Problem(`changes came into the tables while ${name} was looked at: nothing is proved`, 'Run this again.')
  const told = { differences: differences.count(), first: differences.first, equal: differences.count() === 0 }
  return { versions: versions.length, facts, notSunk, ...told }
}

function refuseUnderWay({ load }: IngestPlace, name: string): void {
  if (load === null) return
  throw new Problem(
    `${loadWords(load)}, begun at ${load.since}, is under way: until it is done, ${name} is neither as it was nor as it will be`,
    'Let it finish, or run it again to finish it: tidemark load, or tidemark ingest where its tables come from topics',
  )
}

async function knownTables({ registry }: Ports, fact: FactSchema): Promise<readonly KnownTable[]> {
  return Promise.all(
    tablesOf(fact).map(async (table) => {
      const all = await registry.list(table.name)
      const latest = all.at(-1)
      if (!latest)
        throw new Problem(
          `the table ${table.name} was never loaded`,
          `Load it first: tidemark load ${table.name}, or tidemark ingest where it comes from a topic.`,
        )
      const own = all.find((one) => isDeepStrictEqual(JSON.parse(one.definition), tableSchema(table)))
      // A table that has grown since the fact was made of it: all of its rows have another form.
      return { table, registered: own ?? { ...latest, id: noId } }
    }),
  )
}

/** Where the changes of each partition end now. */
async function endsOf({ log }: Ports, fact: FactSchema): Promise<readonly number[]> {
  const { inflow } = streamOf(fact)
  return ((await log.topics()).find(({ topic }) => topic === inflow)?.partitions ?? []).map(({ next }) => next)
}

type Comparing = {
  readonly ends: readonly number[]
  readonly isOf: (key: string) => boolean
  readonly signal: AbortSignal
  readonly report: Asked['report']
  readonly add: (difference: Omit<FactDifference, 'version'>) => void
}

async function compared(ports: Ports, fact: FactSchema, { ends, isOf, signal, report, add }: Comparing) {
  const { warehouse } = ports
  const names = Object.keys(fact.fields)
  const sunk = await placesOf(ports, fact, ends)
  const { told, onTheWay } = await toldFacts(ports, fact, { ends, isOf, sunk, signal })
  report(told.size)

  const differing = (key: string, own: Told | undefined, other: readonly string[] | undefined, where: 'tables' | 'table') => {
    const named = (column: string, inflow: string, found: string) =>
      add({ key, column, tables: where === 'tables' ? found : inflow, inflow, table: where === 'table' ? found : inflow })
    if (!own || !other) return named('fact', own ? 'a fact' : 'no fact', other ? 'a fact' : 'no fact')
    for (const [i, column] of [...names, '_seq'].entries())
      if (other[i] !== undefined && own.cells[i] !== other[i]) named(column, own.cells[i]!, other[i])
  }

  for (const part of factMaker(fact, ports.tables).standing()) {
    each(part, names, (key, cells) => {
      if (!isOf(key)) return
      const own = told.get(key)
      if (own) own.inTables = true
      if (!own || !same(own.cells, cells)) differing(key, own, cells, 'tables')
    })
    signal.throwIfAborted()
  }
  for (const [key, own] of told) if (!own.inTables) differing(key, own, undefined, 'tables')

  const amiss: (() => void)[] = []
  const keysAmiss: string[] = []
  const later = (key: string, tell: () => void) => {
    keysAmiss.push(key)
    amiss.push(tell)
  }
  for await (const part of warehouse.facts(standsAs(streamOf(fact)))) {
    each(part, [...names, '_seq'], (key, cells) => {
      if (!isOf(key)) return
      const own = told.get(key)
      if (own) own.inTable = true
      if (!own || !same(own.cells, cells)) later(key, () => differing(key, own, cells, 'table'))
    })
    signal.throwIfAborted()
  }
  for (const [key, own] of told) if (!own.inTable) later(key, () => differing(key, own, undefined, 'table'))
  // What came meanwhile may be there already.
  const came =
    amiss.length > 0
      ? (await toldFacts(ports, fact, { ends: await endsOf(ports, fact), from: ends, isOf, sunk: ends, signal })).touched
      : new Set<string>()
  amiss.forEach((tell, i) => {
    if (!onTheWay.has(keysAmiss[i]!) && !came.has(keysAmiss[i]!)) tell()
  })
  return { facts: told.size, notSunk: onTheWay.size }
}

const same = (own: readonly string[], other: readonly string[]) => other.every((cell, i) => cell === own[i])

const placesOf = ({ warehouse }: Ports, fact: FactSchema, ends: readonly number[]): Promise<readonly number[]> =>
  Promise.all(ends.map(async (_, partition) => (await warehouse.progress(factsReader(streamOf(fact), partition))) ?? 0))
