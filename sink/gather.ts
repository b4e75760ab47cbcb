/** Joins batches of a log into larger ones, for a warehouse where a write costs much however small it is. */
import { runsOfId, type SchemaRun } from '../schemas/wire.ts'
import { offsetOf } from '../streams/dead.ts'
import type { Batch, Fetched } from '../utilities/log.ts'
import type { Flush } from '../utilities/warehouse.ts'

/**
 * So many messages at once, or fewer when the first of them has waited so long or the reader has come to its end. `read` reads until its
 * signal aborts, which happens when whoever takes the batches has had enough.
 */
export async function* gathered(
  read: (signal: AbortSignal) => AsyncIterable<Fetched>,
  flush: Flush | undefined,
  signal: AbortSignal,
): AsyncIterable<Fetched> {
  if (!flush) return yield* read(signal)
  const enough = new AbortController()
  const source = read(AbortSignal.any([signal, enough.signal]))[Symbol.asyncIterator]()
  let held: Fetched[] = []
  let timer: NodeJS.Timeout | undefined
  let due: Promise<'due'> | undefined
  const taken = () => {
    const all = joined(held)
    clearTimeout(timer)
    held = []
    due = undefined
    return all
  }
  try {
    let coming = source.next()
    for (;;) {
      // While a batch is being written nobody waits for the next: a failure is met when its turn comes.
      coming.catch(() => {})
      const first = due ? await Promise.race([coming, due]) : await coming
      if (first === 'due') {
        yield taken()
        continue
      }
      if (first.done) break
      held.push(first.value)
      const messages = held.reduce((sum, { batch }) => sum + batch.ends.length, 0)
      if (messages >= flush.rows) yield taken()
      else due ??= new Promise((resolve) => (timer = setTimeout(() => resolve('due'), flush.everyMs)))
      coming = source.next()
    }
    if (held.length > 0) yield taken()
  } finally {
    clearTimeout(timer)
    enough.abort()
    await source.return?.()
  }
}

function joined(parts: readonly Fetched[]): Fetched {
  const first = parts[0]!
  if (parts.length === 1) return first
  return {
    offset: first.offset,
    next: parts.at(-1)!.next,
    batch: joinedPieces(parts.map(({ batch }) => ({ batch, from: 0, to: batch.ends.length }))),
    offsets: Float64Array.from(parts.flatMap((part) => Array.from(part.batch.ends, (_, message) => offsetOf(part, message)))),
  }
}

/** Messages from..to (to excluded) of a batch. */
type Piece = { readonly batch: Batch; readonly from: number; readonly to: number }

const startOf = ({ ends }: Batch, message: number) => (message === 0 ? 0 : ends[message - 1]!)

function joinedPieces(pieces: readonly Piece[]): Batch {
  const ends = new Uint32Array(pieces.reduce((sum, { from, to }) => sum + to - from, 0))
  let [at, before] = [0, 0]
  for (const { batch, from, to } of pieces) {
    const shift = before - startOf(batch, from)
    for (let i = from; i < to; i++) ends[at++] = batch.ends[i]! + shift
    before = ends[at - 1] ?? 0
  }
  const bytes = Buffer.concat(pieces.map(({ batch, from, to }) => batch.bytes.subarray(startOf(batch, from), startOf(batch, to))))
  return {
    bytes,
    ends,
    ...(pieces.every(({ batch }) => batch.keys) && { keys: pieces.flatMap(({ batch, from, to }) => batch.keys!.slice(from, to)) }),
  }
}

export type RunOfId = Piece &
  Pick<SchemaRun, 'id' | 'compression'> & { /** Where a message of it stood before. */ readonly was: (message: number) => number }

/** The messages of each id together, in their order: where several versions are live, their messages take turns. */
export function runsTogether(batch: Batch): readonly RunOfId[] {
  const byHeader = new Map<string, SchemaRun[]>()
  for (const run of runsOfId(batch)) {
    const header = `${run.id} ${run.compression}`
    byHeader.set(header, [...(byHeader.get(header) ?? []), run])
  }
  return [...byHeader.values()].map((runs) => {
    const { id, compression, from, to } = runs[0]!
    if (runs.length === 1) return { id, compression, batch, from, to, was: (message) => message }
    const one = joinedPieces(runs.map((run) => ({ batch, from: run.from, to: run.to })))
    const before = runs.flatMap((run) => Array.from({ length: run.to - run.from }, (_, i) => run.from + i))
    return { id, compression, batch: one, from: 0, to: one.ends.length, was: (message) => before[message]! }
  })
}
