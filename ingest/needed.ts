/** Which facts and events are to be made, for which sets, and the tables that they are made from. */
import { isDeepStrictEqual } from 'node:util'
import type { Definition } from '../feature-defs/feature-set.ts'
import { samePer, type Per } from '../feature-defs/keys.ts'
import { isEvent, type EventSchema } from '../schemas/event.ts'
import { isFact, type FactSchema } from '../schemas/fact.ts'
import { meaningOf, tablesOf, type JoinedRecord } from '../schemas/joined.ts'
import type { RecordSchema, Table } from '../schemas/record.ts'
import { allReleased } from '../streams/known-versions.ts'
import { streamOf, type Stream } from '../streams/stream.ts'
import type { Registry } from '../utilities/registry.ts'
import { Problem } from '../utilities/values/problem.ts'

type Needed = {
  readonly stream: Stream
  /** The keys of the sets over it, each once, in the order of the sets. */
  readonly pers: readonly Per[]
  /** All versions of sets that were over it are retired: nothing more is written of it than a load that was begun before does. */
  readonly retired?: true
}
export type NeededFact = Needed & { readonly fact: FactSchema }
export type NeededEvent = Needed & { readonly event: EventSchema }

type Needing = {
  readonly registry: Registry
  readonly definitions: readonly Definition[]
  readonly isRetired: (of: Pick<Definition, 'set' | 'version'>) => boolean
}

/** Every fact that a released version of a set is over, or the first of one of the definitions; by the name of its stream. */
export const neededFacts = async (needing: Needing): Promise<readonly NeededFact[]> =>
  (await needed(needing, isFact)).map(({ made: fact, ...one }) => ({ fact, ...one }))

/** The same of events. */
export const neededEvents = async (needing: Needing): Promise<readonly NeededEvent[]> =>
  (await needed(needing, isEvent)).map(({ made: event, ...one }) => ({ event, ...one }))

async function needed<R extends JoinedRecord>(
  { registry, definitions, isRetired }: Needing,
  isOne: (record: RecordSchema) => record is R,
): Promise<readonly (Needed & { readonly made: R })[]> {
  const released = await allReleased(registry)
  // As the code has it: its tables may have more columns by now.
  const inCode = (one: Definition) => definitions.find(({ set, version }) => set === one.set && version === one.version) ?? one
  const first = definitions.filter(({ set, version }) => version === 0 && !released.some((one) => one.set === set))
  const all = [...first, ...released].filter(({ batchOnly }) => !batchOnly)
  const found = new Map<string, Needed & { readonly made: R }>()
  const [live, gone] = [all.filter((one) => !isRetired(one)), all.filter(isRetired)]
  for (const one of [...live, ...gone]) {
    const { record, per } = one
    if (!isOne(record)) continue
    const made = inCode(one).record
    // Of a record that had no joins, or of one that has them no more, it is another one.
    if (!isOne(made)) throw madeInAnotherWay(record)
    const stream = streamOf(record)
    checkSame(record, made)
    const known = found.get(stream.name)
    if (known) checkSame(known.made, record)
    const retired = isRetired(one)
    if (known && !known.retired && retired) continue
    const pers = known?.pers ?? []
    const both = pers.some((other) => samePer(other, per)) ? pers : [...pers, per]
    found.set(stream.name, { made: known?.made ?? made, stream, pers: both, ...(retired && { retired }) })
  }
  return [...found.values()].sort((a, b) => (a.stream.name < b.stream.name ? -1 : 1))
}

/** A stream has one meaning. What was written of an event is never made again, so that its fields must hold what they held, too. */
function checkSame(one: JoinedRecord, other: JoinedRecord): void {
  const meaning = (record: JoinedRecord) => ({
    ...meaningOf(record, Object.keys(record.fields)),
    ...(isEvent(record) && { at: record.at, fields: Object.values(record.fields).map((field) => ({ ...field, csv: '' })) }),
  })
  if (!isDeepStrictEqual(meaning(one), meaning(other))) throw madeInAnotherWay(one)
}

const madeInAnotherWay = (record: JoinedRecord) =>
  new Problem(
    `the ${isEvent(record) ? 'event' : 'fact'} ${record.name} is made in another way than when a set over it was applied`,
    isEvent(record)
      ? 'Put it back as it was, and make the other one a fact under another name.'
      : `Put it back as it was, and make its next version from it: ${record.name}.add({ … }) or .replace({ … }).`,
  )

/** The tables that these are made from, and those named beside; a table of the definitions counts before one that was applied. */
export function neededTables(made: readonly (NeededFact | NeededEvent)[], defined: readonly Table[]): readonly Table[] {
  const tables = new Map(defined.map((table) => [table.name, table]))
  for (const one of made) {
    const record = 'fact' in one ? one.fact : one.event
    for (const table of tablesOf(record)) {
      const known = tables.get(table.name)
      if (!known) tables.set(table.name, table)
      else checkHas(record, known, table)
    }
  }
  return [...tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What an applied fact reads must still be there. */
function checkHas({ name }: JoinedRecord, defined: Table, needed: Table): void {
  const refuse = (what: string): never => {
    throw new Problem(
      `${name} was applied over a table ${needed.name} ${what}`,
      'Put it back as it was; columns that nobody reads may go later.',
    )
  }
  if (defined.key.join() !== needed.key.join()) refuse(`by ${needed.key.join(', ')}, and its key is ${defined.key.join(', ')} now`)
  for (const [own, field] of Object.entries(needed.fields)) {
    const now = defined.fields[own]
    if (!now) refuse(`with a column ${own}, which it has no more`)
    else if (now.kind !== field.kind || ('scale' in now && 'scale' in field && now.scale !== field.scale))
      refuse(`whose ${own} was ${field.kind}, and is ${now.kind} now`)
  }
}
