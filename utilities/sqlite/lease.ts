/** Leases as locked files in the data directory, each with a file beside it that tells who holds it. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Held, type Holder, type Lease, type LeaseOptions, type Owner } from '../lease.ts'
import type { Problem } from '../values/problem.ts'
import { holdAlone } from './database.ts'

/** Forgotten leases would be collected as garbage, and their locks with them. */
const held = new Set<Lease>()

/** So long a holder that gives way is waited for, by whoever does not. */
const waitMs = 30_000

/** `owner` is what this process is doing, as the next one should read it. */
export async function takeLease(dir: string, name: string, owner: string, options?: LeaseOptions): Promise<Lease> {
  const { givesWay = false, signal } = options ?? {}
  const file = join(dir, 'leases', encodeURIComponent(name))
  const ownerFile = `${file}.json`
  const startedMs = performance.now()
  for (let attempt = 1; ; attempt++) {
    const letGo = holdAlone(`${file}.lock`)
    if (letGo) {
      describeOwner(ownerFile, { pid: process.pid, host: hostname(), since: new Date().toISOString(), command: owner, givesWay })
      const lease: Lease = {
        async close() {
          if (!held.delete(lease)) return
          rmSync(ownerFile, { force: true })
          letGo()
        },
      }
      held.add(lease)
      return lease
    }
    const found = readOwner(ownerFile)
    const holder = found && isAlive(found) ? found : undefined
    // The holder may have taken it this very moment: what is written there is of the one before, or nothing yet.
    const comesFree = holder?.givesWay === true && performance.now() - startedMs < waitMs
    const isPatient = givesWay && !signal?.aborted
    if (!comesFree && !isPatient && (holder || attempt >= 25)) throw heldBy(name, holder)
    await sleep(comesFree ? 5 : 20)
  }
}

/** Who holds a lease in the data directory now; one that was killed has left its word behind, which stops nobody. */
export function leaseHolders(dir: string): readonly Holder[] {
  const folder = join(dir, 'leases')
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : []
  return files.flatMap((file) => {
    const owner = readOwner(join(folder, file))
    return owner && isAlive(owner) ? [{ name: decodeURIComponent(file.slice(0, -'.json'.length)), ...owner }] : []
  })
}

function heldBy(name: string, owner: Owner | undefined): Problem {
  if (!owner) return new Held(`another process holds ${name}`, 'Wait until it is done, or stop it; then run this again.')
  const { pid, host, since, command } = owner
  const stop = host === hostname() ? `kill ${pid}` : `kill ${pid} on ${host}`
  const what = `${name} is held by process ${pid} on ${host} since ${since}: ${command}`
  return new Held(what, `Wait until it is done, or stop it (${stop}); then run this again.`)
}

/** Written aside and moved into place: a reader sees all of it or what was there before. */
function describeOwner(file: string, owner: Owner): void {
  const aside = `${file}.${process.pid}`
  try {
    writeFileSync(aside, `${JSON.stringify(owner)}\n`)
    renameSync(aside, file)
  } catch {
    // The lock is what counts: without the description, the next one is told less.
  }
}

function readOwner(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner
  } catch {
    return undefined
  }
}

function isAlive({ pid, host }: Owner): boolean {
  if (host !== hostname()) return true
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as { readonly code?: unknown }).code === 'EPERM'
  }
}
