/** A stream: what comes in of one record, what is computed of it, and what could not be read; all names that the store has for these. */
import type { RecordSchema } from '../schemas/record.ts'

/** Of a version of a set: what it is over says which stream it reads. */
export type OfSet = { readonly set: string; readonly record: Pick<RecordSchema, 'fact'> }

export type Stream = {
  /** That of its record. */
  readonly name: string
  /** What its names end in that no other stream has. */
  readonly suffix: string
  readonly inflow: string
  readonly outflow: string
  readonly dead: string
}

/** It was there before there could be others: its names end in nothing. */
const unsuffixed = 'rejected_loan'

/** Each version of a fact has one of its own. */
export const streamOf = ({ name: record, fact }: Pick<RecordSchema, 'name' | 'fact'>): Stream => {
  const name = fact && fact.version > 0 ? `${record}.v${fact.version}` : record
  const suffix = name === unsuffixed ? '' : `.${name}`
  return { name, suffix, inflow: `inflow${suffix}`, outflow: `outflow${suffix}`, dead: `inflow${suffix}.dead` }
}

/**
 * Under which name a version's places are kept, its writers and its group of consumers: those over a later version of a fact have places in
 * another stream than those before.
 */
export const ownerOf = ({ set, record: { fact } }: OfSet): string => (fact && fact.version > 0 ? `${set}.v${fact.version}` : set)

/** The set of an owner: no set has a dot in its name. */
export const setOfOwner = (owner: string): string => owner.split('.')[0]!

/** What the facts that stand are called in the warehouse: those of each version have a table and a view. */
export const standsAs = ({ name }: Stream): string => name.replace('.', '_')

/** The stream whose inflow or outflow this is. */
export const streamWith = (topic: string): Stream => streamOf({ name: /\.(.+)$/.exec(topic)?.[1] ?? unsuffixed })

/** Whoever holds it may write into inflow and say what it holds. */
export const producerName = ({ inflow }: Stream) => `produce/${inflow}`

/** The name under which it is kept what inflow holds. */
export const producedName = ({ inflow }: Stream) => `produced/${inflow}`

/** The name under which the sink of a partition saves its progress. */
export const sinkReader = ({ outflow }: Stream, partition: number) => `sink/${outflow}/${partition}`

/** The name under which the sink saves how far it has brought the facts of a partition. */
export const factsReader = ({ inflow }: Stream, partition: number) => `sink/${inflow}/${partition}`

/** The group of sinks that share the partitions of a fact's inflow. */
export const factSinksOf = ({ suffix }: Stream) => `sink-facts${suffix}`

/** The group of sinks that share the partitions of outflow. */
export const sinksOf = ({ suffix }: Stream) => `sink${suffix}`
