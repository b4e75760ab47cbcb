/** What doctor looks at of topics of others, as config and definitions have them. */
import { topicsOf } from '../config/config.ts'
import { tablesIn, type Definitions } from '../config/definitions.ts'
import type { Config } from '../config/shape.ts'
import { wireFeed, wireSchemas } from '../config/wire.ts'
import { isEvent } from '../schemas/event.ts'
import { looksAtTopics, type TopicToLookAt } from '../use-cases/doctor-topics.ts'
import { sourceOf } from '../use-cases/ingest.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Look } from '../utilities/values/look.ts'

type Seen = {
  readonly definitions: Definitions | undefined
  /** undefined where the store is not complete. */
  readonly ports: { readonly registry: Registry; readonly checkpoints: Checkpoints } | undefined
  readonly signal: AbortSignal
}

/** So long each topic is tried for. */
const reachMs = 5_000

export async function withLooksAtTopics(
  config: Config,
  { definitions = new Map(), ports, signal }: Seen,
  work: (looks: readonly Look[]) => Promise<void>,
): Promise<void> {
  const feed = wireFeed(config, () => {}, { withinMs: reachMs })
  const schemasOf = wireSchemas(config, ports?.registry ?? { find: async () => undefined })
  const sources = Object.entries(topicsOf(config)).flatMap(([name, asked]): readonly TopicToLookAt[] => {
    // Standard input is gone once it is read.
    if (asked.isFleeting) return []
    const { topic, format, transactions, decimals, schemaRegistry } = asked
    const schemas = schemasOf(name)
    const of = needed(definitions, name)
    return [
      {
        name,
        topic,
        isOfDatabase: format === 'debezium',
        transactions,
        decimals: decimals !== undefined,
        needed: of && { fields: ('table' in of ? of.table : of.record).fields, decode: sourceOf(name, asked, of, schemas).decode },
        registry: schemaRegistry && schemas && { url: schemaRegistry.url, schemas },
      },
    ]
  })
  try {
    await work(looksAtTopics({ feed, checkpoints: ports?.checkpoints, signal }, sources))
  } finally {
    await feed.close()
  }
}

/** The table or the record of that name, as the newest definition has it. */
function needed(definitions: Definitions, name: string): Parameters<typeof sourceOf>[2] | undefined {
  const table = tablesIn(definitions).find((one) => one.name === name)
  if (table) return { table }
  const records = [...definitions.values()].flat().map(({ record }) => (isEvent(record) ? record.event.of : record))
  const record = records.findLast((one) => one.name === name)
  return record && { record }
}
