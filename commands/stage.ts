/** Wires the parts, takes the leases, runs the work, and puts everything back whatever happens. */
import { wire, type Ports, type WireOptions } from '../config/wire.ts'
import { checkRegistry, checkTopics } from '../streams/store.ts'
import type { Lease } from '../utilities/lease.ts'
import { NoTopic } from '../utilities/log.ts'
import type { Context } from './command.ts'

type Parts = Pick<Context, 'config' | 'console'>
type Work<T> = (ports: Ports) => Promise<T>

/** Refuses a store whose topics are not those that it goes on from. */
export const withPorts = <T>(parts: Parts, leases: readonly string[], work: Work<T>, options?: WireOptions) =>
  withAnyTopics(
    parts,
    leases,
    async (ports): Promise<T> => {
      await checkTopics(ports)
      try {
        return await work(ports)
      } catch (error) {
        // One that went away meanwhile is said in full, with what is lost and the way out.
        if (error instanceof NoTopic) await checkTopics(ports)
        throw error
      }
    },
    options,
  )

/** For those that put in order what became of topics. */
export const withAnyTopics = <T>(parts: Parts, leases: readonly string[], work: Work<T>, options?: WireOptions): Promise<T> =>
  withAnyStore(
    parts,
    leases,
    async (ports) => {
      await checkRegistry(ports)
      return work(ports)
    },
    options,
  )

/** For what only looks: nothing is made, and no right to write is needed. */
export const withPortsToRead = <T>(parts: Parts, work: Work<T>): Promise<T> => withPorts(parts, [], work, { readOnly: true })
export const withAnyTopicsToRead = <T>(parts: Parts, work: Work<T>): Promise<T> => withAnyTopics(parts, [], work, { readOnly: true })

/** For what mends a store that has lost a part. */
export async function withAnyStore<T>(
  { config, console }: Parts,
  leases: readonly string[],
  work: Work<T>,
  options?: WireOptions,
): Promise<T> {
  const ports = await wire(config, console.note, options)
  const held: Lease[] = []
  try {
    for (const name of leases) held.push(await ports.lease(name))
    return await work(ports)
  } finally {
    for (const lease of held) await lease.close()
    await ports.close()
  }
}
