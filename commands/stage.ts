/** Wires the parts, takes the leases, runs the work, and puts everything back whatever happens. */
import { wire, type Ports, type WireOptions } from '../config/wire.ts'
import type { Lease } from '../utilities/lease.ts'
import type { Context } from './command.ts'

export async function withPorts<T>({ config, console }: Pick<Context, 'config' | 'console'>, leases: readonly string[], work: (ports: Ports) => Promise<T>, options?: WireOptions): Promise<T> {
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

/** For what only looks: nothing is made, and no right to write is needed. */
export const withPortsToRead = <T>(context: Pick<Context, 'config' | 'console'>, work: (ports: Ports) => Promise<T>): Promise<T> => withPorts(context, [], work, { readOnly: true })
