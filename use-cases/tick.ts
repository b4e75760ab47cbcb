/** `tick`: says in every partition of a stream of facts that a date has come. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { neededFacts } from '../ingest/needed.ts'
import { tick, type Ticked } from '../ingest/tick.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { claimRegistry } from '../streams/store.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import { Problem } from '../utilities/values/problem.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry }

type Asked = {
  readonly definitions: readonly Definition[]
  /** The stream's name. */
  readonly stream: string
  readonly partitions: (fact: FactSchema) => number
  /** Of the kind that the facts' dates are. */
  readonly at: (kind: 'date' | 'timestamp') => number
}

export async function tickStream(ports: Ports, { definitions, stream, partitions, at }: Asked): Promise<Ticked> {
  await claimRegistry(ports)
  const facts = await neededFacts(ports.registry, definitions)
  const found = facts.find((one) => one.stream.name === stream)
  if (!found) {
    const names = facts.map((one) => one.stream.name)
    const todo =
      names.length > 0 ? `Name one of ${names.join(', ')}.` : 'Only streams of facts have ticks, and the definitions have no fact.'
    throw new Problem(`there is no stream of facts ${stream}`, todo, { usage: true })
  }
  const { kind } = found.fact.fields[found.fact.at]!
  return tick(ports, { fact: found, at: at(kind as 'date' | 'timestamp'), partitions: partitions(found.fact) })
}
