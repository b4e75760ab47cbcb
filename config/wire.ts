/** The composition root: the one place that knows which adapter stands behind each port. Adapters load only when chosen. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Checkpoints } from '../utilities/checkpoint/checkpoint.ts'
import { systemClock, type Clock } from '../utilities/clock.ts'
import type { Lease } from '../utilities/lease.ts'
import type { KafkaAuth } from '../utilities/log/kafka-auth.ts'
import type { Log } from '../utilities/log/log.ts'
import type { Registry } from '../utilities/registry/registry.ts'
import type { RejectsFile } from '../utilities/source/rejects-file.ts'
import type { Source } from '../utilities/source/source.ts'
import type { Warehouse } from '../utilities/warehouse/warehouse.ts'
import type { Config } from './config.ts'

export type Ports = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly warehouse: Warehouse
  readonly clock: Clock
  /** The file of that place, or the configured one when it is not there any more. */
  readonly openSource: (place: string) => Source
  /** One process at a time holds a lease. */
  readonly lease: (name: string) => Promise<Lease>
  readonly rejects: (name: string) => RejectsFile
  readonly rejectsPath: (name: string) => string
  close(): Promise<void>
}

/** `note` hears of trouble that passes by itself. */
export async function wire(config: Config, note: (text: string) => void = () => {}): Promise<Ports> {
  const { openEmbeddedRegistry } = await import('../utilities/registry/embedded-registry.ts')
  const { openEmbeddedWarehouse } = await import('../utilities/warehouse/embedded-warehouse.ts')
  const { incompatibilities } = await import('../schemas/compatibility.ts')
  const { fileSource } = await import('../utilities/source/file-source.ts')
  const { rejectsFile } = await import('../utilities/source/rejects-file.ts')
  const { takeLease } = await import('../utilities/lease.ts')

  const at = (name: string) => join(config.dataDir, name)
  const { log, checkpoints } = await openLog(config, note)
  const registry = await openEmbeddedRegistry(at('registry.db'), incompatibilities('BACKWARD'))
  const warehouse = await openEmbeddedWarehouse(at('warehouse.db'))
  const rejectsPath = (name: string) => at(join('rejects', `${name}.csv`))
  return {
    log,
    checkpoints,
    registry,
    warehouse,
    clock: systemClock(),
    openSource: (place) => fileSource(existsSync(place) ? place : config.source.file),
    lease: (name) => takeLease(config.dataDir, name, `tidemark ${process.argv.slice(2).join(' ')}`),
    rejectsPath,
    rejects(name) {
      mkdirSync(dirname(rejectsPath(name)), { recursive: true })
      return rejectsFile(rejectsPath(name))
    },
    async close() {
      await Promise.all([log.close(), checkpoints.close(), registry.close(), warehouse.close()])
    },
  }
}

async function openLog({ log: chosen, dataDir }: Config, note: (text: string) => void) {
  switch (chosen.kind) {
    case 'embedded': {
      const { openEmbeddedLog } = await import('../utilities/log/embedded-log.ts')
      const { openEmbeddedCheckpoints } = await import('../utilities/checkpoint/embedded-checkpoints.ts')
      const path = join(dataDir, 'log.db')
      return { log: openEmbeddedLog(path), checkpoints: openEmbeddedCheckpoints(path) }
    }
    case 'kafka': {
      const { openKafkaLog } = await import('../utilities/log/kafka-log.ts')
      const { openKafkaCheckpoints } = await import('../utilities/checkpoint/kafka-checkpoints.ts')
      const { brokers, topicPrefix, compression, auth } = chosen
      const log = await openKafkaLog({ brokers, topicPrefix, compression, auth: auth as KafkaAuth, note: (text, kind) => { if (kind === 'warning') note(`kafka: ${text}`) } })
      return { log, checkpoints: openKafkaCheckpoints(log) }
    }
  }
}

/** The file that a command names, looked at before anything is made: a mistyped name leaves no data directory behind, and no other file takes its place. */
export async function sourceAt(place: string): Promise<Source> {
  const { fileSource } = await import('../utilities/source/file-source.ts')
  const source = fileSource(place)
  for await (const _ of source.read()) break
  return source
}

/** Only the warehouse, for reading. */
export async function wireReader(config: Config): Promise<Warehouse> {
  const { openEmbeddedWarehouse } = await import('../utilities/warehouse/embedded-warehouse.ts')
  return openEmbeddedWarehouse(join(config.dataDir, 'warehouse.db'), { readOnly: true })
}
