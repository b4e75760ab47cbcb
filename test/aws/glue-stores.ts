/**
 * Glue registries for tests, over the emulator: each store is a registry of its own, each handle has a cache of its own unless it is given
 * one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { incompatibilities, type Compatibility } from '../../schemas/avro/compatibility.ts'
import { openGlueRegistry, type GlueOptions, type GlueTuning } from '../../utilities/glue/registry.ts'
import type { Registry } from '../../utilities/registry.ts'
import type { TestAws } from './moto.ts'

let stores = 0

/** As the AWS clients find them: in the environment, which they read when they are made. */
export function underAws({ env }: TestAws): () => void {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, env)
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

export type TestRegistry = { readonly registry: Registry; readonly notes: string[] }

export function glueStore() {
  const registry = `registry-${++stores}`
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-glue-'))
  let handles = 0
  return {
    name: registry,
    folder,
    open(more: Partial<GlueOptions> = {}, tuning: GlueTuning = {}): TestRegistry {
      const notes: string[] = []
      const options: GlueOptions = {
        region: 'eu-west-1',
        registry,
        compatibility: 'BACKWARD',
        catalogDatabase: registry,
        cachePath: join(folder, `cache-${++handles}.db`),
        incompatibilities: (mode) => incompatibilities(mode as Compatibility),
        ...more,
      }
      return { notes, registry: openGlueRegistry(options, (text) => notes.push(text), { pace: 0.02, ...tuning }) }
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A store whose handles are closed, and whose files go, when the test ends. */
export function storeForTest() {
  const store = glueStore()
  const opened: Registry[] = []
  onTestFinished(async () => {
    for (const one of opened) await one.close()
    store.dispose()
  })
  return {
    ...store,
    open(more: Partial<GlueOptions> = {}, tuning: GlueTuning = {}): TestRegistry {
      const one = store.open(more, tuning)
      opened.push(one.registry)
      return one
    },
  }
}
