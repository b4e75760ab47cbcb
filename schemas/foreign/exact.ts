/** Numbers as texts and as base64, exact to the last digit. */

const numberForm = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** Beyond it no number of ours reaches. */
const mostDigits = 60
/** A longer one is not looked at digit by digit. */
export const mostText = 400

/**
 * The whole number of 1 / 10^scale that a text says, whatever way it is written; `fine` when it has more digits behind the point, `large`
 * when it is larger than any number of ours, undefined when it is no number.
 */
export function exactWhole(text: string, scale: number): bigint | 'fine' | 'large' | undefined {
  const parts = numberForm.exec(text)
  if (!parts) return undefined
  if (text.length > mostText) return 'large'
  const [, sign, whole, fraction = '', exponent = '0'] = parts
  const digits = (whole! + fraction).replace(/^0+/, '')
  if (digits === '') return 0n
  const kept = digits.replace(/0+$/, '')
  const shift = digits.length - kept.length + Number(exponent) - fraction.length + scale
  if (shift < 0) return 'fine'
  if (kept.length + shift > mostDigits) return 'large'
  const value = BigInt(kept + '0'.repeat(shift))
  return sign === '-' ? -value : value
}

/** The same of a whole number of 1 / 10^from. */
export function rescaled(value: bigint, from: number, scale: number): bigint | 'fine' | 'large' {
  if (value === 0n || from === scale) return value
  if (from < scale) return scale - from > mostDigits ? 'large' : value * 10n ** BigInt(scale - from)
  // A number that so many digits divide is larger than any of ours.
  if (from - scale > 2 * mostDigits) return 'fine'
  const divisor = 10n ** BigInt(from - scale)
  return value % divisor === 0n ? value / divisor : 'fine'
}

const base64Form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const mostBase64 = 400

const equals = 61
const digits = new Int8Array(256).fill(-1)
for (const [digit, byte] of [...Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')].entries())
  digits[byte] = digit

/** The whole number that base64 holds in two's complement; undefined where it is no base64, or of more bytes than any number of ours. */
export function base64Whole(bytes: Buffer, from: number, to: number): number | bigint | undefined {
  if (to - from > 8 || (to - from) % 4 !== 0 || from === to) return longWhole(bytes.latin1Slice(from, to))
  const padding = bytes[to - 1] !== equals ? 0 : bytes[to - 2] !== equals ? 1 : 2
  let value = 0
  for (let at = from; at < to - padding; at++) {
    const digit = digits[bytes[at]!]!
    if (digit < 0) return undefined
    value = value * 64 + digit
  }
  // Of the last digit, two bits or four are of no byte.
  value = Math.floor(value / (padding === 0 ? 1 : padding === 1 ? 4 : 16))
  const limit = 2 ** (((to - from) / 4) * 24 - padding * 8)
  return value >= limit / 2 ? value - limit : value
}

function longWhole(text: string): bigint | undefined {
  if (!isBase64(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

const plainForm = /^[+-]?\d+(\.\d+)?$/

/** Whether a text reads as a number as a database writes it, and whether it may be base64. */
export const isPlainNumber = (text: string): boolean => plainForm.test(text)
export const isBase64 = (text: string): boolean => text !== '' && text.length <= mostBase64 && base64Form.test(text)
