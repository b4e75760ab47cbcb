/** Where the Avro schemas of messages of others are asked for: each registry is opened when a message of it comes first. */
import { byKindOfId, remembered, waitedFor, type ForeignSchemas, type Waiting } from '../utilities/foreign-schemas.ts'
import type { Registry } from '../utilities/registry.ts'
import { topicOf } from './config.ts'
import type { Config, TopicSource } from './shape.ts'

type SchemaRegistry = NonNullable<TopicSource['schemaRegistry']>
export type Finds = Pick<Registry, 'find'>
type Openers = {
  readonly http: (at: SchemaRegistry) => Promise<ForeignSchemas>
  readonly glue: (region: string) => Promise<ForeignSchemas>
  /** The store's own. */
  readonly registry: Finds
  /** Where AWS is looked for when the config names no Glue. */
  readonly region: string | undefined
  /** Without it, one that is away is a Problem. */
  readonly waiting: Waiting | undefined
}

/** By the name of a table or a record. Sources that name the same registry ask it once. */
export function foreignSchemasOf(
  config: Config,
  { http, glue, registry, region, waiting }: Openers,
): (name: string) => ForeignSchemas | undefined {
  const opened = new Map<string, ForeignSchemas>()
  const once = (place: string, open: () => Promise<ForeignSchemas>): ForeignSchemas => {
    const one = opened.get(place) ?? (waiting ? waitedFor(lazily(open), waiting) : lazily(open))
    opened.set(place, one)
    return one
  }
  const own = remembered(
    async (id) => (await registry.find(id))?.definition,
    () => performance.now(),
  )
  const inGlue = config.registry.kind === 'glue' ? config.registry.region : region
  const uuids = [...(config.registry.kind === 'embedded' ? [own] : []), ...(inGlue === undefined ? [] : [once(inGlue, () => glue(inGlue))])]
  return (name) => {
    const source = topicOf(config, name)
    if (!source) return undefined
    const { schemaRegistry: at } = source
    return byKindOfId({ numbers: at && once(JSON.stringify(at), () => http(at)), uuids })
  }
}

function lazily(open: () => Promise<ForeignSchemas>): ForeignSchemas {
  let begun: Promise<ForeignSchemas> | undefined
  return {
    async find(id) {
      const one = (begun ??= open())
      // One that could not be opened is tried again.
      one.catch(() => (begun = undefined))
      return (await one).find(id)
    },
  }
}
