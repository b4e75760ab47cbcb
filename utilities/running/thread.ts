/** A thread that does jobs one after the other while the main one goes on: what its body does with a job is in a file of its own. */
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker, type ResourceLimits, type Transferable } from 'node:worker_threads'
import { Problem } from '../values/problem.ts'

export interface Thread<Job> {
  /**
   * Resolves once it is done; jobs are done in the order of the calls. What is handed over is the thread's from then on, and saves a copy.
   */
  run(job: Job, transferable?: readonly Transferable[]): Promise<void>
  /** Waits for the jobs under way, and ends the thread. */
  close(): Promise<void>
}

export type ThreadOptions = {
  /** The body's file, beside the one that asks for it, and that one's import.meta.url. */
  readonly body: string
  readonly beside: string
  /** What the body is told once. */
  readonly data: unknown
  /** What it does, for the message when it ends unasked. */
  readonly does: string
  readonly limits: ResourceLimits
}

/** What comes back for each job: nothing, or why not. An error loses its class between threads, so a Problem is sent as its words. */
export type Outcome = { readonly problem?: { readonly what: string; readonly todo: string }; readonly bug?: unknown }

type Waiting = { readonly resolve: () => void; readonly reject: (error: unknown) => void }

/**
 * A thread knows of the process's compile cache by its environment alone. Without it a thread of a checkout strips the types of all that it
 * loads, which is 30 MB and 0.1 s of a processor.
 */
function withCompileCache(): { readonly env?: NodeJS.ProcessEnv } {
  const folder = getCompileCacheDir()
  return folder === undefined ? {} : { env: { ...process.env, NODE_COMPILE_CACHE: dirname(folder) } }
}

export function openThread<Job>({ body, beside, data, does, limits }: ThreadOptions): Thread<Job> {
  // In the package it is compiled, as this file is.
  const file = `${body}${beside.endsWith('.ts') ? '.ts' : '.js'}`
  const worker = new Worker(new URL(file, beside), { workerData: data, resourceLimits: limits, ...withCompileCache() })
  const waiting: Waiting[] = []
  let latest: Promise<void> = Promise.resolve()
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
  worker.on('exit', (code) => fail(new Error(`the thread that ${does} ended (${code})`)))

  return {
    run(job, transferable = []) {
      latest = new Promise<void>((resolve, reject) => {
        if (failure !== undefined) return reject(failure)
        worker.postMessage(job, transferable)
        worker.ref()
        waiting.push({ resolve, reject })
      })
      return latest
    },
    async close() {
      await latest.catch(() => {})
      await worker.terminate()
    },
  }
}
