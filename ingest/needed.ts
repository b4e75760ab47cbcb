/** Which facts are to be made, for which sets, and the tables that they are made from. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { samePer, type Per } from '../feature-defs/keys.ts'
import { isFact, meaningOf, tablesOf, type FactSchema } from '../schemas/fact.ts'
import type { Table } from '../schemas/record.ts'
import { allReleased } from '../streams/known-versions.ts'
import { streamOf, type Stream } from '../streams/stream.ts'
import type { Registry } from '../utilities/registry.ts'
import { Problem } from '../utilities/values/problem.ts'

export type NeededFact = {
  readonly fact: FactSchema
  readonly stream: Stream
  /** The keys of the sets over it, each once, in the order of the sets. */
  readonly pers: readonly Per[]
  /** All versions of sets that were over it are retired: nothing more is written of it than a load that was begun before does. */
  readonly retired?: true
}

type Needing = {
  readonly registry: Registry
  readonly definitions: readonly Definition[]
  readonly isRetired: (of: Pick<Definition, 'set' | 'version'>) => boolean
}

/** Every fact that a released version of a set is over, or the first of one of the definitions; by the name of its stream. */
export async function neededFacts({ registry, definitions, isRetired }: Needing): Promise<readonly NeededFact[]> {
  const released = await allReleased(registry)
  // As the code has it: its tables may have more columns by now.
  const inCode = (one: Definition) => definitions.find(({ set, version }) => set === one.set && version === one.version) ?? one
  const first = definitions.filter(({ set, version }) => version === 0 && !released.some((one) => one.set === set))
  const all = [...first, ...released].filter(({ batchOnly }) => !batchOnly)
  const needed = new Map<string, NeededFact>()
  const [live, gone] = [all.filter((one) => !isRetired(one)), all.filter(isRetired)]
  for (const one of [...live, ...gone]) {
    const { record, per } = one
    if (!isFact(record)) continue
    const fact = inCode(one).record as FactSchema
    const stream = streamOf(record)
    checkSame(record, fact)
    const known = needed.get(stream.name)
    if (known) checkSame(known.fact, record)
    const retired = isRetired(one)
    if (known && !known.retired && retired) continue
    const pers = known?.pers ?? []
    const both = pers.some((other) => samePer(other, per)) ? pers : [...pers, per]
    needed.set(stream.name, { fact: known?.fact ?? fact, stream, pers: both, ...(retired && { retired }) })
  }
  return [...needed.values()].sort((a, b) => (a.stream.name < b.stream.name ? -1 : 1))
}

/** The stream of a fact has one meaning. */
function checkSame(one: FactSchema, other: FactSchema): void {
  const meaning = (fact: FactSchema) => JSON.stringify(meaningOf(fact, Object.keys(fact.fields)))
  if (meaning(one) === meaning(other)) return
  throw new Problem(
    `the fact ${one.name} is made in another way than when a set over it was applied`,
    `Put it back as it was, and make its next version from it: ${one.name}.add({ … }) or .replace({ … }).`,
  )
}

/** The tables that these facts are made from, and those named beside; a table of the definitions counts before one that was applied. */
export function neededTables(facts: readonly NeededFact[], defined: readonly Table[]): readonly Table[] {
  const tables = new Map(defined.map((table) => [table.name, table]))
  for (const { fact } of facts)
    for (const table of tablesOf(fact)) {
      const known = tables.get(table.name)
      if (!known) tables.set(table.name, table)
      else checkHas(fact, known, table)
    }
  return [...tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What an applied fact reads must still be there. */
function checkHas({ name }: FactSchema, defined: Table, needed: Table): void {
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
