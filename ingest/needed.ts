/** Which facts are to be made, for which sets, and the tables that they are made from. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { samePer, type Per } from '../feature-defs/keys.ts'
import { isFact, meaningOf, tablesOf, type FactSchema } from '../schemas/fact.ts'
import type { Table } from '../schemas/record.ts'
import { streamedSets } from '../streams/known-versions.ts'
import { streamOf, type Stream } from '../streams/stream.ts'
import type { Registry } from '../utilities/registry.ts'
import { Problem } from '../utilities/values/problem.ts'

export type NeededFact = {
  readonly fact: FactSchema
  readonly stream: Stream
  /** The keys of the sets over it, each once, in the order of the sets. */
  readonly pers: readonly Per[]
}

/** Every fact that a set of the definitions needs, or one that was applied before; by the name of its stream. */
export async function neededFacts(registry: Registry, definitions: readonly Definition[]): Promise<readonly NeededFact[]> {
  const all = [...definitions.filter(({ batchOnly }) => !batchOnly), ...(await streamedSets(registry))]
  const needed = new Map<string, NeededFact>()
  for (const { record, per } of all) {
    if (!isFact(record)) continue
    const stream = streamOf(record)
    const known = needed.get(stream.name)
    if (known) checkSame(known.fact, record)
    const pers = known?.pers ?? []
    needed.set(stream.name, { fact: known?.fact ?? record, stream, pers: pers.some((one) => samePer(one, per)) ? pers : [...pers, per] })
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
