/**
 * Which of two changes of a partition is the newer, so that what a connector sends again after a crash is known. Within a transaction of
 * PostgreSQL the place in its log decides; between transactions, which overlap, where the one before was committed, and then that place.
 */
import type { Origin, Place } from '../schemas/foreign/changes.ts'

export type Seen = { readonly op: string; readonly place: Place | undefined }

/** Rows of a snapshot always are: what they say counts from then on, and changes from before them may come again. */
export function isNewer({ op, place }: Pick<Origin, 'op' | 'place'>, seen: Seen | undefined): boolean {
  if (op === 'r' || !place || !seen?.place || seen.op === 'r') return true
  const order = compare(place, seen.place)
  // A row whose key changes is gone from one key and comes to another at the same place.
  return order > 0 || (order === 0 && seen.op === 'd' && op === 'c')
}

/** Above 0 where the first is behind the second. */
export function compare(one: Place, other: Place): number {
  if (one.of === 'postgres' && other.of === 'postgres') {
    const inOrder = sign(one.lsn, other.lsn)
    if (one.transaction !== null && one.transaction === other.transaction) return inOrder
    return sign(one.commit ?? 0n, other.commit ?? 0n) || inOrder
  }
  if (one.of === 'mysql' && other.of === 'mysql') {
    // Another server numbers its binlogs in its own way: what it did cannot have come, wherever it stands in them.
    if (isOfAnother(one.gtid, other.gtid)) return 1
    return sign(numberOf(one.file), numberOf(other.file)) || sign(one.position, other.position) || one.row - other.row
  }
  // Another database than before: nothing of it can have come.
  return 1
}

/** The same where one of them may be a snapshot's, which is in no transaction: it stands where the log stood. */
export const compareWithSnapshot = (one: Place, other: Place): number =>
  one.of === 'postgres' && other.of === 'postgres' && (one.commit === null || other.commit === null)
    ? sign(one.lsn, other.lsn)
    : compare(one, other)

const sign = (one: bigint, other: bigint) => (one > other ? 1 : one < other ? -1 : 0)

/**
 * By their GTIDs, which end with a number that rises: one of another series, or a higher one of the same. A server that replicates may have
 * them in another order than they rise in, so that a lower one says nothing by itself.
 */
function isOfAnother(one: string | undefined, seen: string | undefined): boolean {
  if (one === undefined || seen === undefined) return false
  return seriesOf(one) !== seriesOf(seen) || numberOf(one) > numberOf(seen)
}

/** Of MySQL the server, with its tag; of MariaDB, whose servers share the numbers, the domain: 0-1-42. */
const seriesOf = (gtid: string): string => /^(?:\d+(?=-\d+-\d+$)|.*(?=:))/.exec(gtid)?.[0] ?? gtid

/** Of binlog.000012: they are numbered on. */
const numberOf = (text: string): bigint => BigInt(/\d+$/.exec(text)?.[0] ?? 0)
