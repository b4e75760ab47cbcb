/** `tick`: says in every partition of a stream of facts that a date has come. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { tick, type Ticked } from '../ingest/tick.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { claimRegistry } from '../streams/store.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { Problem } from '../utilities/values/problem.ts'
import { factsNeeded } from './facts-needed.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry; readonly warehouse: Warehouse }

type Asked = {
  readonly definitions: readonly Definition[]
  /** The name of the fact: all of its versions are told. */
  readonly stream: string
  readonly partitions: (fact: FactSchema) => number
  /** Of the kind that the facts' dates are. */
  readonly at: (kind: 'date' | 'timestamp') => number
}

export async function tickStream(ports: Ports, { definitions, stream, partitions, at }: Asked): Promise<Ticked> {
  await claimRegistry(ports)
  const facts = (await factsNeeded(ports, definitions)).filter(({ retired }) => !retired)
  const found = facts.filter((one) => one.fact.name === stream)
  const [first] = found
  if (!first) {
    const names = [...new Set(facts.map((one) => one.fact.name))]
    const todo =
      names.length > 0 ? `Name one of ${names.join(', ')}.` : 'Only streams of facts have ticks, and the definitions have no fact.'
    throw new Problem(`there is no stream of facts ${stream}`, todo, { usage: true })
  }
  const { kind } = first.fact.fields[first.fact.at]!
  return tick(ports, { facts: found, at: at(kind as 'date' | 'timestamp'), partitions: partitions(first.fact) })
}
