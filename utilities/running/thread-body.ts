/** The body of a thread: takes one job at a time, in order, and tells how each one went. */
import { parentPort, workerData } from 'node:worker_threads'
import { Problem } from '../values/problem.ts'
import type { Outcome } from './thread.ts'

/** `open` is given what the thread was told, and gives what does a job. */
export function threadBody<Data, Job>(open: (data: Data) => (job: Job) => void | Promise<void>): void {
  const work = open(workerData as Data)
  let before: Promise<void> = Promise.resolve()
  parentPort!.on('message', (job: Job) => {
    before = before.then(async () => parentPort!.postMessage(await outcomeOf(work, job)))
  })
}

async function outcomeOf<Job>(work: (job: Job) => void | Promise<void>, job: Job): Promise<Outcome> {
  try {
    await work(job)
    return {}
  } catch (error) {
    return error instanceof Problem ? { problem: { what: error.what, todo: error.todo } } : { bug: error }
  }
}
