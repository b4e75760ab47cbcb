/** Stream: the real commands, produce, consume and sink, durable from end to end; all at once, and one after the other. */
import { setTimeout as sleep } from 'node:timers/promises'
import { wireReader } from '../config/wire.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { sinkReader, streamOf } from '../streams/stream.ts'
import { run, start, type Finished } from './child.ts'
import type { Data } from './data.ts'
import { inScratch, type Scratch } from './scratch.ts'

/** What each process took; `seconds` is from the start of produce until the last row is durable in the warehouse. */
export type StreamRun = { readonly seconds: number; readonly parts: ReadonlyMap<string, Finished> }

/** Each service is a process of its own. */
export const waysOfStreaming: ReadonlyMap<string, readonly string[] | 'in turn'> = new Map<string, readonly string[] | 'in turn'>([
  ['produce while up runs', ['up']],
  ['produce while consume and sink run', ['consume', 'sink']],
  ['one after the other', 'in turn'],
])

export type StreamOptions = { readonly nodeOptions: readonly string[] }

const stuckAfterMs = 60_000

const command = (name: string, { configFile }: Scratch) => ['tidemark.js', [...name.split(' '), '--config', configFile, '--json']] as const

const produced = ({ file, years }: Data) => `produce --years ${years} --file ${file}`

export async function measureStream(data: Data, way: string, options: StreamOptions): Promise<StreamRun> {
  const services = waysOfStreaming.get(way)!
  return typeof services === 'string' ? inTurn(data, options) : overlapped(data, services, options)
}

const overlapped = (data: Data, services: readonly string[], { nodeOptions }: StreamOptions): Promise<StreamRun> =>
  inScratch(async (scratch) => {
    await run(...command('apply loan_risk@0 --yes', scratch))
    const running = services.map((name) => ({ name, process: start(...command(name, scratch), nodeOptions) }))
    try {
      // A consumer says so when it runs; a sink alone says nothing, and is ready about then.
      for (const { name, process } of running) if (name !== 'sink') await process.said('from record 1 on')
      const beganMs = performance.now()
      const producer = await run(...command(produced(data), scratch), nodeOptions)
      checkProduced(producer, data)
      await allWritten(scratch, data.rows, Promise.race(running.map(({ process }) => process.finished)))
      const seconds = (performance.now() - beganMs) / 1000
      const parts = new Map([['produce', producer]])
      for (const { name, process } of running) parts.set(name, await process.stop())
      await checkRows(scratch, data)
      return { seconds, parts }
    } finally {
      await Promise.allSettled(running.map(({ process }) => process.stop()))
    }
  })

const inTurn = (data: Data, { nodeOptions }: StreamOptions): Promise<StreamRun> =>
  inScratch(async (scratch) => {
    await run(...command('apply loan_risk@0 --yes', scratch))
    const parts = new Map<string, Finished>()
    for (const words of [produced(data), 'consume --until-caught-up', 'sink --until-caught-up']) {
      parts.set(words.split(' ')[0]!, await run(...command(words, scratch), nodeOptions))
    }
    await checkRows(scratch, data)
    return { seconds: [...parts.values()].reduce((sum, { seconds }) => sum + seconds, 0), parts }
  })

/** Waits until the sink's progress, committed with the rows, has come to the end; ends as well, with its error, when a service stops. */
async function allWritten({ config }: Scratch, rows: number, stopped: Promise<unknown>): Promise<void> {
  const warehouse = await wireReader(config)
  let gone = false
  stopped.then(
    () => (gone = true),
    () => (gone = true),
  )
  let written = 0
  let movedMs = performance.now()
  try {
    while (written < rows) {
      if (gone) {
        await stopped
        throw new Error('a service ended before all rows were written')
      }
      const before = written
      written = (await warehouse.progress(sinkReader(streamOf(rejectedLoan), 0))) ?? 0
      if (written > before) movedMs = performance.now()
      if (performance.now() - movedMs > stuckAfterMs) throw new Error(`the sink has stood still at ${written} rows of ${rows}`)
      await sleep(10)
    }
  } finally {
    await warehouse.close()
  }
}

/** Or the wait for the last row would never end. */
function checkProduced({ stdout }: Finished, { rows }: Data): void {
  const done = JSON.parse(stdout) as { rows: number }
  if (done.rows !== rows) throw new Error(`produce wrote ${done.rows} rows of ${rows}`)
}

async function checkRows({ config }: Scratch, { rows }: Data): Promise<void> {
  const warehouse = await wireReader(config)
  try {
    const extent = await warehouse.extent('loan_risk', 0)
    if (extent?.rows !== rows || extent.last !== rows)
      throw new Error(`the warehouse has ${extent?.rows ?? 0} rows up to ${extent?.last ?? 0}, not ${rows}`)
  } finally {
    await warehouse.close()
  }
}
