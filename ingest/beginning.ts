/** Where the reading of a partition begins: where it was left, unless messages are missing there. */
import { Problem } from '../utilities/values/problem.ts'

type Partition = {
  readonly topic: string
  readonly partition: number
  /** The offsets of the first message held and of the next to come. */
  readonly first: number
  readonly next: number
  /** Where it was left; undefined where it was never read. */
  readonly left: number | undefined
}

type Asked = {
  /** Topics of which messages may be missing. */
  readonly acceptGap: readonly string[]
  readonly note: (text: string) => void
}

export function beginning({ topic, partition, first, next, left = first }: Partition, { acceptGap, note }: Asked): number {
  if (left >= first && left <= next) return left
  if (acceptGap.includes(topic)) {
    note(`${topic}, partition ${partition}: read from ${first} on; what was between ${left} and there is not known`)
    return first
  }
  throw new Problem(
    left < first
      ? `topic ${topic}, partition ${partition}: the messages from ${left} to ${first - 1} were deleted before they were read`
      : `topic ${topic}, partition ${partition} ends at ${next}, before ${left}, where reading should go on: it was made anew`,
    `To go on with what it holds: tidemark ingest --accept-gap ${topic} (for a table, let its connector make a new snapshot too).`,
  )
}
