/** `verify`: computes a version's rows again from everything that was taken, and proves that the warehouse holds exactly those. */
import type { VersionPorts } from './bring.ts'
import { compare } from './compare.ts'
import { collector } from './differences.ts'
import { computedAgain, laterRows, neverTaken, ownedRows, partitionOf, type Watched } from './owned.ts'

type Difference = { readonly seq: number; readonly column: string; readonly expected: string; readonly found: string }

export type Verified = {
  readonly rows: number
  readonly after: number
  readonly until: number
  /** Rows that the sink has still to bring to the warehouse: they are not compared. */
  readonly notSunk: number
  /** Records dropped as duplicates of some that came before, and of these nobody can tell any more whether they were taken. */
  readonly untold: number
  readonly differences: number
  readonly first: readonly Difference[]
}

export type VerifyOptions = Watched & { readonly set: string; readonly version: number }

export async function verify(ports: VersionPorts, { set, version, ...watched }: VerifyOptions): Promise<Verified> {
  const owned = await ownedRows(ports, set, version)
  const { definition, partitions, isOnTheWay } = owned
  let [computed, notSunk] = [0, 0]
  const dropped = partitions.map(() => new Set<number>())
  const expected = partitions.map((one, i) =>
    counted(
      computedAgain(ports, definition, one, watched, (seq) => dropped[i]!.add(seq)),
      (count) => (computed += count),
    ),
  )
  const differences = collector<Difference>()
  const isLater = laterRows(ports, owned)
  await compare(expected, ports.warehouse.rows(set, version, { first: 0, last: Number.MAX_SAFE_INTEGER }), {
    missing(wanted) {
      if (isOnTheWay(wanted.seq, partitionOf(owned, wanted).partition)) notSunk++
      else differences.add({ seq: wanted.seq, column: 'row', expected: 'a row', found: 'no row' })
    },
    async extra(there) {
      if (!(await isLater(partitionOf(owned, there), there.seq)))
        differences.add({ seq: there.seq, column: 'row', expected: 'no row', found: 'a row' })
    },
    different: ({ seq }, column, expected, found) => differences.add({ seq, column, expected, found }),
  })
  // What was taken for a duplicate must have been one.
  let untold = 0
  for (const [i, one] of partitions.entries()) {
    const found = await neverTaken(ports, definition, one, dropped[i]!, watched.signal)
    for (const seq of found.never) differences.add({ seq, column: 'record', expected: 'taken once', found: 'dropped as a duplicate' })
    untold += found.untold.length
  }
  watched.signal.throwIfAborted()
  const after = Math.min(...partitions.map(({ run }) => run.after))
  const until = Math.max(...partitions.map((one) => one.end))
  return { rows: computed - notSunk, after, until, notSunk, untold, differences: differences.count(), first: differences.first }
}

async function* counted<T extends { readonly count: number }>(batches: AsyncIterable<T>, add: (count: number) => void): AsyncIterable<T> {
  for await (const batch of batches) {
    add(batch.count)
    yield batch
  }
}
