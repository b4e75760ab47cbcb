/**
 * Schemas that messages of the store name, beside those of versions, which the journals have: kept with the checkpoints, since a registry
 * in a file may be lost, and put back from there under the ids that messages name.
 */
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
import { fromBytes, toBytes } from './position.ts'
import { keepInStore } from './store.ts'

type Ports = { readonly checkpoints: Checkpoints; readonly registry: Registry }

type Kept = Pick<Registered, 'subject' | 'number' | 'definition'>

const schemasName = 'schemas'

/** What is to be saved so that they are kept: nothing where they are, or where the registry cannot put them back. */
export async function unkept({ checkpoints, registry }: Ports, schemas: readonly Registered[]): Promise<readonly Save[]> {
  if (!registry.restore) return []
  const there = await checkpoints.load(schemasName)
  return schemas
    .filter(({ id }) => !there.has(id))
    .map(({ id, subject, number, definition }) => ({
      name: schemasName,
      key: id,
      value: toBytes({ subject, number, definition } satisfies Kept),
    }))
}

export async function keepSchemas(ports: Ports & { readonly log: Log }, schemas: readonly Registered[]): Promise<void> {
  if ((await unkept(ports, schemas)).length > 0) await keepInStore(ports.log, () => unkept(ports, schemas))
}

/** Puts those back that the registry does not have any more, in their order, and says how many they were. */
export async function restoreKept({ checkpoints, registry }: Ports): Promise<number> {
  let restored = 0
  const kept = [...(await checkpoints.load(schemasName))].map(([id, bytes]) => ({ id, ...fromBytes<Kept>(bytes) }))
  for (const { number: _, ...schema } of kept.sort((a, b) => a.number - b.number)) {
    if (!registry.restore || (await registry.find(schema.id))) continue
    await registry.restore(schema)
    restored++
  }
  return restored
}
