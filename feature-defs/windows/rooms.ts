/** The whole numbers that a type has room for. */
import { mostDigits } from '../gives.ts'
import { wholeOf, type Whole } from '../values.ts'

export type Room = readonly [least: bigint, most: bigint]

const mostDecimal = 10n ** BigInt(mostDigits) - 1n
export const decimalRoom: Room = [-mostDecimal, mostDecimal]
export const integerRoom: Room = [-(2n ** 63n), 2n ** 63n - 1n]

/** Infinite when there is no room for it. */
export const fitted = (whole: bigint, [least, most]: Room): Whole => (whole < least || whole > most ? Infinity : wholeOf(whole))
