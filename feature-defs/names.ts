/**
 * What is defined has names that mean one thing each: in the warehouse, on the log, in the registry, in the config and on the command line.
 */
import { isEvent } from '../schemas/event.ts'
import { isFact, type FactSchema } from '../schemas/fact.ts'
import { isJoined, tablesOf } from '../schemas/joined.ts'
import { Problem } from '../utilities/values/problem.ts'
import { label, type Definition } from './feature-set.ts'

type Kind = 'set' | 'record' | 'event' | 'fact' | 'table'
type Named = { readonly kind: Kind; readonly name: string; readonly what: object; readonly of: Definition }

/** A Problem that names the first thing which is called like another one. */
export function checkNames(definitions: readonly Definition[]): void {
  const known = new Map<string, Named>()
  for (const named of definitions.flatMap(namedIn)) {
    const other = known.get(named.name)
    if (other) checkSame(named, other)
    else known.set(named.name, named)
  }
  for (const named of known.values()) checkViews(named, known)
}

const namedIn = (of: Definition): readonly Named[] => [
  { kind: 'set', name: of.set, what: of, of },
  { kind: isFact(of.record) ? 'fact' : isEvent(of.record) ? 'event' : 'record', name: of.record.name, what: of.record, of },
  ...(isEvent(of.record) ? [{ kind: 'record', name: of.record.event.of.name, what: of.record.event.of, of } as const] : []),
  ...(isJoined(of.record) ? tablesOf(of.record).map((table) => ({ kind: 'table', name: table.name, what: table, of }) as const) : []),
]

function refuse({ of }: Named, what: string, todo = 'Give one of the two another name.'): never {
  throw new Problem(`${label(of)}: ${what}`, todo)
}

/** A set has several versions, and a record grows. */
function checkSame(named: Named, other: Named): void {
  const { kind, name, what } = named
  if (kind !== other.kind) refuse(named, `the ${kind} ${name} is named like ${other.kind === 'set' ? 'a' : 'the'} ${other.kind}`)
  if ((kind === 'fact' || kind === 'event' || kind === 'table') && !isSame(what, other.what))
    refuse(named, `it is over another ${kind} ${name} than ${label(other.of)}`, `Define ${name} once, or give one of the two another name.`)
}

/** Versions of a fact have its tables and its date in common. */
function isSame(one: object, other: object): boolean {
  const [a, b] = [one, other].map((what) => what as FactSchema)
  const differ = a!.fact && b!.fact && a!.fact.version !== b!.fact.version
  const shared = ({ at, fact: { of, join } }: FactSchema) => ({ at, of, join })
  return JSON.stringify(differ ? shared(a!) : a) === JSON.stringify(differ ? shared(b!) : b)
}

/** A set and a fact are views of the warehouse, beside which there are others; and each version of a fact has a stream. */
function checkViews(named: Named, known: ReadonlyMap<string, Named>): void {
  const { kind, name } = named
  if (kind === 'table') return
  const owner = known.get(name.replace(/(_rows|(_v\d+)?(_latest)?)$/, ''))
  if (!owner || owner === named || (owner.kind !== 'fact' && (owner.kind !== 'set' || kind === 'record' || kind === 'event'))) return
  refuse(named, `the ${kind} ${name} is named like something that belongs to the ${owner.kind} ${owner.name}`)
}
