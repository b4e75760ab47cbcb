/**
 * A statement of a user in a process of its own: SQLite cannot be interrupted from outside, and a thread within it ends only when it does.
 */
import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { Problem } from '../../values/problem.ts'
import type { Outcome } from '../../running/thread.ts'
import type { QueryResult } from '../../warehouse.ts'

export type Asked = { readonly path: string; readonly sql: string }
/** A part of the result; what is neither that nor why there is none is its end. */
export type Answer = Outcome & { readonly part?: QueryResult }

export async function* partsFromProcess(path: string, sql: string, signal?: AbortSignal): AsyncGenerator<QueryResult, void, undefined> {
  signal?.throwIfAborted()
  // In the package it is compiled, as this file is.
  const body = new URL(`./query-body${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
  const child = fork(body, [`${process.pid}`], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const kill = () => void child.kill('SIGKILL')
  const ended = new AbortController()
  child.once('exit', () => ended.abort())
  signal?.addEventListener('abort', kill)
  process.on('exit', kill)
  try {
    const answers = on(child, 'message', { signal: ended.signal }) as AsyncIterable<[Answer]>
    child.send({ path, sql } satisfies Asked)
    for await (const [{ part, problem, bug }] of answers) {
      if (problem) throw new Problem(problem.what, problem.todo)
      if (bug) throw bug
      if (!part) return
      // Asked for before this one is looked at: one part is read ahead.
      child.send('next')
      yield part
      signal?.throwIfAborted()
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (!ended.signal.aborted || error instanceof Problem) throw error
    // Ctrl-C reaches it from the terminal too, perhaps before this process has heard of it.
    if (child.signalCode === 'SIGINT' || child.signalCode === 'SIGTERM') throw new DOMException('the query was interrupted', 'AbortError')
    throw new Error(`the process that runs the query ended (${child.signalCode ?? child.exitCode})`)
  } finally {
    signal?.removeEventListener('abort', kill)
    process.off('exit', kill)
    kill()
    if (!ended.signal.aborted) await once(child, 'exit')
  }
}
