/** What the inflow of a stream holds of each file: what `produce` has recorded in the same commits as the records. */
import type { Take } from '../schemas/csv/selection.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import { fromBytes, toBytes } from './position.ts'
import { heldOf } from './kept-before.ts'
import { producedName, type Stream } from './stream.ts'
import type { Recorded } from './strangers.ts'

export async function loadHeld(checkpoints: Checkpoints, stream: Stream): Promise<readonly Take[]> {
  const saved = (await checkpoints.load(producedName(stream))).get('')
  return saved ? heldOf(fromBytes(saved)) : []
}

export const saveHeld = (stream: Stream, held: readonly Take[]): Save => ({ name: producedName(stream), key: '', value: toBytes(held) })

/** What inflow holds of topics of others is called so. */
export const topicsName = 'topics'

export const isFromTopics = ({ source }: Pick<Take, 'source'>): boolean => source.name === topicsName && source.size === 0

export const latestOf = (takes: readonly Pick<Take, 'lastSeq'>[]): number => Math.max(0, ...takes.map(({ lastSeq }) => lastSeq))

/** What is recorded comes in the same commit as the records: whoever has read a record finds it. */
export function recordedIn(checkpoints: Checkpoints, stream: Stream): Recorded {
  let last: number | null = null
  return {
    async upTo(beyond) {
      if (last !== null && beyond <= last) return last
      const held = await loadHeld(checkpoints, stream)
      return (last = held.length === 0 ? null : latestOf(held))
    },
  }
}

export type HeldRows = {
  readonly rows: number
  readonly first: number
  readonly last: number
  /** There may be fewer: a take reaches over the number, and how many of its rows come before that is not noted. */
  readonly atMost: boolean
}

/** How many rows beyond this one inflow holds, and which. */
export function heldBeyond(held: readonly Take[], seq: number): HeldRows {
  const beyond = held.filter(({ lastSeq, rows }) => lastSeq > seq && rows > 0)
  return {
    rows: beyond.reduce((sum, { firstSeq, lastSeq, rows }) => sum + (firstSeq > seq ? rows : Math.min(rows, lastSeq - seq)), 0),
    atMost: beyond.some(({ firstSeq }) => firstSeq <= seq),
    first: Math.min(...beyond.map(({ firstSeq }) => Math.max(firstSeq, seq + 1))),
    last: Math.max(...beyond.map(({ lastSeq }) => lastSeq)),
  }
}

/** What inflow still holds when it lost the rows between these two: they can be produced again where nothing lies behind them. */
export const heldWithout = (held: readonly Take[], after: number, before: number): readonly Take[] =>
  held.flatMap((take) => {
    const { firstSeq, lastSeq, rows } = take
    const upTo =
      firstSeq > after ? [] : [{ ...take, lastSeq: Math.min(lastSeq, after), rows: Math.min(rows, Math.max(0, after - firstSeq + 1)) }]
    const from =
      lastSeq < before
        ? []
        : [
            {
              ...take,
              after: Math.max(take.after, before - 1),
              firstSeq: Math.max(firstSeq, before),
              rows: Math.min(rows, lastSeq - Math.max(firstSeq, before) + 1),
            },
          ]
    return lastSeq <= after || firstSeq >= before ? [take] : [...upTo, ...from]
  })
