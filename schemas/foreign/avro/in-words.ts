/** Days, moments and decimals as people write them, for where no type stands beside the value. */
import { long } from '../../wire.ts'
import { dayText } from '../../../utilities/values/day.ts'
import { decimalText } from '../../../utilities/values/decimal-text.ts'
import { dayIn, firstMicros, isoText, lastMicros } from '../../../utilities/values/timestamp.ts'
import type { SentType } from '../sent.ts'
import { putAscii, putBase64, putLong, type Cursor } from './json-out.ts'
import { readLong, take, takeCounted } from './read.ts'
import type { Shape } from './shape.ts'

/** Undefined where its value is best written as it stands. */
export function putInWords(shape: Shape, meaning: SentType): ((c: Cursor) => void) | undefined {
  switch (meaning.is) {
    case 'day':
      return putDay
    case 'moment':
      return putMoment(meaning.unit)
    case 'decimal':
      return putDecimal(meaning.scale, shape.kind === 'fixed' ? shape.size : undefined)
    default:
      return undefined
  }
}

const [firstDay, lastDay] = [dayIn(firstMicros), dayIn(lastMicros)]

function putDay(c: Cursor): void {
  readLong(c)
  const [low, high] = [long[0]!, long[1]!]
  if (high === low >> 31 && low >= firstDay && low <= lastDay) putAscii(c, `"${dayText(low)}"`)
  else putLong(c, low, high)
}

const perSecond = { milliseconds: 1_000n, microseconds: 1_000_000n, nanoseconds: 1_000_000_000n }

const putMoment = (unit: keyof typeof perSecond) => {
  const parts = perSecond[unit]
  return (c: Cursor): void => {
    readLong(c)
    const [low, high] = [long[0]!, long[1]!]
    const value = (BigInt(high) << 32n) | BigInt(low >>> 0)
    const micros = parts > 1_000_000n ? (value - (((value % 1000n) + 1000n) % 1000n)) / 1000n : value * (1_000_000n / parts)
    if (micros < firstMicros || micros > lastMicros) putLong(c, low, high)
    else putAscii(c, `"${isoText(micros)}"`)
  }
}

/** The digits of a number take the longer to find, the more it has. */
const mostBytes = 4096

const putDecimal =
  (scale: number, size: number | undefined) =>
  (c: Cursor): void => {
    const from = size === undefined ? takeCounted(c) : take(c, size)
    const count = c.at - from
    if (count === 0 || count > mostBytes) return putBase64(c, from, c.at)
    const digits = Buffer.from(c.bytes.buffer, c.bytes.byteOffset + from, count).toString('hex')
    const whole = BigInt.asIntN(8 * count, BigInt(`0x${digits}`))
    putAscii(c, scale < 0 ? String(whole * 10n ** BigInt(-scale)) : decimalText(whole, scale))
  }
