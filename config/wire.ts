/**
 * The composition root: the one place, beside files.ts, that knows which adapter stands behind each port. Adapters load only when chosen.
 */
import { dirname, join } from 'node:path'
import type { Compatibility } from '../schemas/avro/compatibility.ts'
import { systemClock } from '../utilities/values/clock.ts'
import type { Feed } from '../utilities/feed.ts'
import type { ForeignSchemas, Waiting } from '../utilities/foreign-schemas.ts'
import type { Holder } from '../utilities/lease.ts'
import type { KafkaAuth } from '../utilities/kafka/client/auth.ts'
import type { Look } from '../utilities/values/look.ts'
import { makeDirectory } from '../utilities/running/make-directory.ts'
import type { Registry } from '../utilities/registry.ts'
import type { EmbeddedOptions } from '../utilities/sqlite/warehouse/warehouse.ts'
import type { Tables } from '../utilities/tables.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { feedOf, limitsOf } from './feed.ts'
import { sources } from './files.ts'
import { foreignSchemasOf, type Finds } from './foreign-schemas.ts'
import { modelsOf } from './models.ts'
import type { FeedOptions, Ports } from './ports.ts'
import { standardInputTopic, type Config } from './shape.ts'

export type { Ports } from './ports.ts'

export type WireOptions = {
  /** Nothing is made, and nothing written: for who may only look, and for a store that is not there yet, which then is empty. */
  readonly readOnly?: boolean
}

/** `note` hears of trouble that passes by itself. */
export async function wire(config: Config, note: (text: string) => void = () => {}, options: WireOptions = {}): Promise<Ports> {
  const { open, isThere } = await sources()
  const { rejectsFile } = await import('../utilities/files/rejects.ts')
  const { takeLease } = await import('../utilities/sqlite/lease.ts')

  const clock = systemClock()
  const at = (name: string) => join(config.dataDir, name)
  const { log, checkpoints } = await openLog(config, note, options)
  // Connections left open would keep the process alive after its message.
  const closeLog = (error: unknown) => Promise.all([log.close(), checkpoints.close()]).then(() => Promise.reject(error))
  const registry = await openRegistry(config, note, options).catch(closeLog)
  const warehouse = await openWarehouse(config, note, options).catch((error: unknown) => registry.close().then(() => closeLog(error)))
  const rejectsPath = (name: string) => at(join('rejects', `${name}.csv`))
  return {
    log,
    checkpoints,
    registry,
    warehouse,
    clock,
    models: wireModels(checkpoints),
    openSource(place, record) {
      const configured = config.sources[record] ?? config.source
      return open(isThere(place) || 'topic' in configured ? place : configured.file)
    },
    openFeed: async (options) => wireFeed(config, note, options),
    openTables: async () => (await import('../utilities/sqlite/tables/tables.ts')).openSqliteTables(at('tables.db')),
    openServed: async () => (await import('../utilities/sqlite/served/served.ts')).openServedFile(at('serving.db')),
    // On Kafka these share the partitions among themselves, on this machine and on others.
    lease: async (name, options) =>
      config.log.kind === 'kafka' && ['consume', 'sink'].includes(name)
        ? { close: async () => {} }
        : takeLease(config.dataDir, name, `tidemark ${process.argv.slice(2).join(' ')}`, options),
    rejectsPath,
    rejects(name) {
      makeDirectory(dirname(rejectsPath(name)))
      return rejectsFile(rejectsPath(name))
    },
    async close() {
      await Promise.all([log.close(), checkpoints.close(), registry.close(), warehouse.close()])
    },
  }
}

async function openLog({ log: chosen, dataDir }: Config, note: (text: string) => void, options: WireOptions) {
  switch (chosen.kind) {
    case 'embedded': {
      const { openEmbeddedLog } = await import('../utilities/sqlite/log.ts')
      const { openEmbeddedCheckpoints } = await import('../utilities/sqlite/checkpoints.ts')
      const path = join(dataDir, 'log.db')
      return { log: openEmbeddedLog(path, options), checkpoints: openEmbeddedCheckpoints(path, options) }
    }
    case 'kafka': {
      const { openKafkaCheckpoints } = await import('../utilities/kafka/checkpoints.ts')
      const log = await openKafka(chosen, note)
      return { log, checkpoints: openKafkaCheckpoints(log) }
    }
  }
}

/** Topics of others, and standard input. Each part opens when it is asked about first; a topic that comes from nowhere is a Problem. */
export const wireFeed = (config: Config, note: (text: string) => void, options?: FeedOptions): Feed =>
  feedOf(config, {
    async kafka({ brokers, auth }) {
      const { openKafkaFeed } = await import('../utilities/kafka/feed.ts')
      const say = (text: string, kind: string) => kind === 'warning' && note(`topics: ${text}`)
      return openKafkaFeed({ brokers, auth: auth as KafkaAuth, ...limitsOf(options), note: say })
    },
    async lines() {
      const { openLinesFeed } = await import('../utilities/files/lines-feed.ts')
      return openLinesFeed({ topic: standardInputTopic, input: process.stdin, clock: systemClock() })
    },
  })

/**
 * Of messages of others, by the name of the table or the record that they are for. A registry that is away is waited for where `waiting`
 * says until when.
 */
export const wireSchemas = (config: Config, registry: Finds, waiting?: Waiting): ((name: string) => ForeignSchemas | undefined) =>
  foreignSchemasOf(config, {
    http: async (at) => (await import('../utilities/schema-registry/client.ts')).openSchemaRegistry(at),
    glue: async (region) => (await import('../utilities/glue/foreign-schemas.ts')).openGlueSchemas(region),
    registry,
    region: process.env['AWS_REGION'],
    waiting,
  })

async function openKafka(chosen: Extract<Config['log'], { kind: 'kafka' }>, note: (text: string) => void) {
  const { openKafkaLog } = await import('../utilities/kafka/log.ts')
  const { kind: _, partitions: __, auth, ...options } = chosen
  // The details are lines of the client's own log.
  return openKafkaLog({
    ...options,
    auth: auth as KafkaAuth,
    note: (text, kind) => {
      if (kind === 'warning') note(`kafka: ${text}`)
    },
  })
}

async function openRegistry({ registry: chosen, dataDir }: Config, note: (text: string) => void, options: WireOptions): Promise<Registry> {
  const { incompatibilities } = await import('../schemas/avro/compatibility.ts')
  switch (chosen.kind) {
    case 'embedded': {
      const { openEmbeddedRegistry } = await import('../utilities/sqlite/registry.ts')
      return openEmbeddedRegistry(join(dataDir, 'registry.db'), incompatibilities('BACKWARD'), options)
    }
    case 'glue': {
      const { openGlueRegistry } = await import('../utilities/glue/registry.ts')
      const { catalogDatabase = chosen.registry } = chosen
      return openGlueRegistry(
        {
          ...chosen,
          ...options,
          catalogDatabase,
          cachePath: join(dataDir, 'glue-cache.db'),
          incompatibilities: (mode) => incompatibilities(mode as Compatibility),
        },
        note,
      )
    }
  }
}

async function openWarehouse(
  { warehouse: chosen, dataDir }: Config,
  note: (text: string) => void,
  options: EmbeddedOptions = {},
): Promise<Warehouse> {
  switch (chosen.kind) {
    case 'embedded': {
      const { openEmbeddedWarehouse } = await import('../utilities/sqlite/warehouse/warehouse.ts')
      return openEmbeddedWarehouse(join(dataDir, 'warehouse.db'), options)
    }
    case 'redshift': {
      const { openRedshiftWarehouse } = await import('../utilities/redshift/warehouse.ts')
      return openRedshiftWarehouse(chosen, note)
    }
  }
}

/** By onnxruntime-web, loaded when the first one is opened. Without checkpoints, which keep files, they lie beside their definitions. */
export const wireModels = (checkpoints?: Ports['checkpoints']): Ports['models'] =>
  modelsOf({ checkpoints, open: async (...file) => (await import('../utilities/onnx/runtime.ts')).openOnnx(...file) })

/** Empty ones, gone when they are closed. */
export async function wireScratchTables({ dataDir }: Config): Promise<Tables> {
  const { openScratchTables } = await import('../utilities/sqlite/tables/scratch.ts')
  return openScratchTables(dataDir)
}

/** Only the warehouse, for reading. */
export const wireReader = (config: Config): Promise<Warehouse> => openWarehouse(config, () => {}, { readOnly: true, notEmpty: true })

/** Who is at work in a data directory. */
export const leaseHolders = async (dataDir: string): Promise<readonly Holder[]> =>
  (await import('../utilities/sqlite/lease.ts')).leaseHolders(dataDir)

/** What can be seen of a database file of the embedded parts. */
export async function lookAtDatabase(...asked: Parameters<typeof import('../utilities/sqlite/look.ts').lookAtDatabase>) {
  return (await import('../utilities/sqlite/look.ts')).lookAtDatabase(...asked)
}

/** What can be seen of the parts that are servers of their own, without making anything. */
export async function lookAtServers({
  log,
  registry,
  warehouse,
}: Config): Promise<{ readonly looks: readonly Look[]; readonly close: () => Promise<void> }> {
  const kafka = log.kind === 'kafka' ? (await import('../utilities/kafka/look.ts')).lookAtKafka(() => openKafka(log, () => {})) : undefined
  const glue =
    registry.kind === 'glue'
      ? (await import('../utilities/glue/look.ts')).lookAtGlue({
          ...registry,
          catalogDatabase: registry.catalogDatabase ?? registry.registry,
        })
      : undefined
  const redshift = warehouse.kind === 'redshift' ? (await import('../utilities/redshift/look.ts')).lookAtRedshift(warehouse) : []
  return { looks: [...(kafka?.looks ?? []), ...(glue?.looks ?? []), ...redshift], close: async () => (glue?.close(), await kafka?.close()) }
}
