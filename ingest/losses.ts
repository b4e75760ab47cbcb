/** What connectors have lost, as it is kept and said. */
export type Loss = {
  readonly transaction: string
  /** The run of the connector that sent what came of it, and when it did, in milliseconds. */
  readonly run: string
  readonly at: number
  /** Where the database's log stood when it ended: a snapshot of behind there has all of it. */
  readonly ended: string
}

/** By the topic of transactions. */
export type Losses = { readonly [topic: string]: readonly Loss[] }

export type Doubtful = Pick<Loss, 'transaction' | 'ended'>

/** `lost`: what is known of since the transaction before was let through; `doubtful`: all that may turn out to be. */
export type Missing = { readonly lost: readonly Loss[]; readonly doubtful: readonly Doubtful[] }

/** A restart brings one at most; a server that says otherwise where transactions begin must not fill the place. */
export const mostLosses = 100

export function withLosses(losses: Losses, found: Losses): Losses {
  const more = Object.entries(found).flatMap(([topic, some]) => {
    const before = losses[topic] ?? []
    const isNew = (one: Loss) => before.every(({ transaction, ended }) => transaction !== one.transaction || ended !== one.ended)
    const fresh = some.filter(isNew)
    return fresh.length === 0 ? [] : [[topic, [...before, ...fresh].slice(-mostLosses)] as const]
  })
  return more.length === 0 ? losses : { ...losses, ...Object.fromEntries(more) }
}

export const lossText = (topic: string, { transaction, at }: Loss): string =>
  `${topic}: the connector was started again amid transaction ${transaction} and may have lost a part of it, ` +
  `before ${new Date(at).toISOString()}`

export const lossTodo = (topic: string): string =>
  'Let the connector make a new snapshot of its tables: see "What Debezium loses" in docs/cdc.md; ' +
  `or, where nothing is missing: tidemark ingest --accept-loss ${topic}`
