/** A thread that inserts rows while the main one reads and computes the next: inserting is most of what a row costs. */
import { Worker } from 'node:worker_threads'
import { Problem } from '../problem.ts'
import type { Write } from './embedded-writes.ts'

export interface WriterThread {
  /** Resolves once the write is durable; writes are done in the order of the calls. */
  write(write: Write): Promise<void>
  close(): Promise<void>
}

/** What comes back for each write: nothing, or why not. An error loses its class between threads, so a Problem is sent as its words. */
export type Outcome = { readonly problem?: { readonly what: string; readonly todo: string }; readonly bug?: unknown }

type Waiting = { readonly resolve: () => void; readonly reject: (error: unknown) => void }

/** Small heaps: the rows of a batch are gone when it is written. */
const resourceLimits = { maxYoungGenerationSizeMb: 3, maxOldGenerationSizeMb: 256 }

export function writerThread(path: string): WriterThread {
  const file = `./embedded-writer-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`
  const worker = new Worker(new URL(file, import.meta.url), { workerData: path, resourceLimits })
  const waiting: Waiting[] = []
  let failure: unknown
  // An idle thread keeps no process alive.
  worker.unref()
  worker.on('message', ({ problem, bug }: Outcome) => {
    const { resolve, reject } = waiting.shift()!
    if (waiting.length === 0) worker.unref()
    if (problem) reject(new Problem(problem.what, problem.todo))
    else if (bug) reject(bug)
    else resolve()
  })
  const fail = (error: unknown) => {
    failure ??= error
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  worker.on('error', fail)
  worker.on('exit', (code) => fail(new Error(`the thread that writes ${path} ended (${code})`)))

  return {
    write: (write) => new Promise<void>((resolve, reject) => {
      if (failure !== undefined) return reject(failure)
      worker.ref()
      waiting.push({ resolve, reject })
      worker.postMessage(write)
    }),
    async close() {
      while (waiting.length > 0) await new Promise((done) => setImmediate(done))
      await worker.terminate()
    },
  }
}
