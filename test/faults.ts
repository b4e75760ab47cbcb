/** Ports that fail as processes do: killed before a write, after which nothing works any more, or told to stop at a call, as by Ctrl-C. */
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log, Writer } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Warehouse } from '../utilities/warehouse.ts'

/** The process is gone. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** Counted from 1. A batch that is read counts as a call; the call at which it is told to stop goes on. */
export type Cut = { readonly kind: 'kill'; readonly write: number } | { readonly kind: 'stop'; readonly call: number }

/** What changes something that is kept; everything else reads. Taking a writer is neither: what it fences is seen when that one commits. */
const writes = {
  log: ['create', 'truncate'] satisfies (keyof Log)[],
  writer: ['commit'] satisfies (keyof Writer)[],
  registry: ['register', 'label', 'restore'] satisfies (keyof Registry)[],
  warehouse: ['arrange', 'write', 'writeTogether', 'writeFacts', 'forgetFacts', 'remove', 'renew'] satisfies (keyof Warehouse)[],
} as const

const readers: readonly string[] = ['read', 'share', 'rows', 'newest', 'facts', 'entries'] satisfies (keyof (Log &
  Warehouse &
  Checkpoints))[]

type Faulty = { readonly [port in Exclude<keyof typeof writes, 'writer'>]?: object } & { readonly checkpoints?: object }

/** `count` says how many writes there were; `stop` is called when the cut is one. */
export function withFaults<P extends Faulty>(ports: P, cut?: Cut, stop: () => void = () => {}): { readonly ports: P; count(): number } {
  const count = { writes: 0, calls: 0 }
  let dead = false
  const alive = () => {
    if (dead) throw new Killed(`cut before write ${count.writes}`)
    if (++count.calls === (cut?.kind === 'stop' ? cut.call : undefined)) stop()
  }
  const written = () => {
    if (++count.writes !== (cut?.kind === 'kill' ? cut.write : undefined)) return
    dead = true
    alive()
  }

  const wrapped = <T extends object>(port: T, writing: readonly string[]): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          const run = () => {
            alive()
            if (writing.includes(name as string)) written()
            return (member as (...args: unknown[]) => unknown).apply(target, args)
          }
          // A reader is asked for its first value only later; everything else answers with a promise, and fails with one.
          return readers.includes(name as string) ? whileAlive(run) : promised(run)
        }
      },
    })
  const whileAlive = async function* (run: () => unknown) {
    for await (const one of run() as AsyncIterable<unknown>) {
      alive()
      yield one
    }
  }
  const promised = async (run: () => unknown) => {
    const result = await run()
    return isWriter(result) ? wrapped(result, writes.writer) : result
  }

  const faulty = Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [
      name,
      name in writes || name === 'checkpoints' ? wrapped(port as object, writes[name as 'log'] ?? []) : port,
    ]),
  )
  return { ports: faulty as P, count: () => count.writes }
}

const isWriter = (value: unknown): value is Writer => typeof value === 'object' && value !== null && 'commit' in value
