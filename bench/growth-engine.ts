/**
 * One point of a growth curve inside the engine: made-up records go in, what a row costs and what a key holds come out. A process of its
 * own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { engine, type Engine } from '../feature-defs/engine.ts'
import type { Definition, NamedFeature } from '../feature-defs/feature-set.ts'
import { fieldsRead, inputsOf } from '../feature-defs/inputs.ts'
import { rejectedLoan } from '../definitions.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'

export type EnginePoint = {
  readonly features: readonly NamedFeature[]
  readonly rows: number
  /** Keys are drawn evenly; 0 is a set without keys. */
  readonly keys: number
  /** Records of the same date. */
  readonly rowsPerDay: number
}

export type EngineCost = {
  /** Processor time of push, ns a row: the first time through, and once every key has been met. */
  readonly coldNs: number
  readonly warmNs: number
  /** Of changes() after each batch, ns a row, once every key has been met. */
  readonly changesNs: number
  readonly keysMet: number
  readonly memoryPerKey: number
  /** Bytes of the changes after the last batch of the first time through. */
  readonly lastCheckpoint: number
}

export const batchRows = 10_000
const leastMicros = 400_000
const firstDay = 13_000

/** The same numbers every time (a linear congruential generator). */
function numbers(): (below: number) => number {
  let seed = 12345
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
}

function batches({ features, rows, keys, rowsPerDay }: EnginePoint): readonly Columns[] {
  const random = numbers()
  const wanted = fieldsRead(definitionOf({ features, keys }))
  return Array.from({ length: Math.ceil(rows / batchRows) }, (_, batch) => {
    const byName = new Map<string, Column>()
    const values = Float64Array.from({ length: batchRows }, () => (random(20) === 0 ? NaN : random(850)))
    for (const name of wanted) byName.set(name, { kind: 'number', values })
    const days = Int32Array.from({ length: batchRows }, (_, row) => firstDay + Math.floor((batch * batchRows + row) / rowsPerDay))
    byName.set('application_date', { kind: 'date', days })
    if (keys > 0) byName.set('zip_code', texts(Array.from({ length: batchRows }, () => `k${random(keys)}`)))
    return { count: batchRows, byName }
  })
}

function texts(all: readonly string[]): Column {
  const bytes = Buffer.from(all.join(''))
  const ends = new Int32Array(all.length)
  all.reduce((end, text, row) => (ends[row] = end + text.length), 0)
  return { kind: 'text', bytes, starts: Int32Array.from(ends, (_, row) => (row === 0 ? 0 : ends[row - 1]!)), ends }
}

const definitionOf = ({ features, keys }: Pick<EnginePoint, 'features' | 'keys'>): Definition => ({
  set: 'bench',
  version: 0,
  record: rejectedLoan,
  per: keys > 0 ? 'zip_code' : null,
  batchOnly: false,
  features,
})

const micros = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** In a turn of its own: what the one before has dropped is found only then. */
const held = async () => {
  await sleep(20)
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Goes through all the batches, as a consumer does: push, then changes. */
function once(by: Engine, definition: Definition, all: readonly Columns[]) {
  let [pushing, changing, lastBytes] = [0, 0, 0]
  for (const columns of all) {
    const began = micros()
    by.push(inputsOf(definition, columns))
    const pushed = micros()
    const changes = by.changes()
    changing += micros() - pushed
    pushing += pushed - began
    lastBytes = changes.values().reduce((sum, entry) => sum + entry.length, 0)
  }
  return { pushing, changing, lastBytes }
}

/**
 * With an engine of its own, so that the code is compiled when the clock starts; it is gone when this returns, or its memory would be
 * counted.
 */
function warmUp(definition: Definition, some: readonly Columns[]): void {
  once(engine(definition), definition, some)
}

async function measure(point: EnginePoint): Promise<EngineCost> {
  const definition = definitionOf(point)
  const all = batches(point)
  const rows = all.length * batchRows
  warmUp(definition, all.slice(0, 20))
  const before = await held()
  const own = engine(definition)
  const cold = once(own, definition, all)
  const memory = (await held()) - before
  const warm = { pushing: 0, changing: 0, passes: 0 }
  // The dates start over, and would be late records to an engine that has seen them.
  const next = point.features.some(({ spec }) => 'days' in spec) ? () => engine(definition) : () => own
  while (warm.pushing < leastMicros) {
    const { pushing, changing } = once(next(), definition, all)
    warm.pushing += pushing
    warm.changing += changing
    warm.passes++
  }
  const fresh = engine(definition)
  for (const columns of all) fresh.push(inputsOf(definition, columns))
  const keysMet = fresh.changedKeys().length
  return {
    coldNs: (cold.pushing / rows) * 1000,
    warmNs: (warm.pushing / (warm.passes * rows)) * 1000,
    changesNs: (warm.changing / (warm.passes * rows)) * 1000,
    keysMet,
    memoryPerKey: memory / keysMet,
    lastCheckpoint: cold.lastBytes,
  }
}

if (import.meta.main) process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2]!) as EnginePoint)))
