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

/** A number of so many bytes and less is one that a double holds. */
const safeBytes = 6

/** The whole number that base64 holds in two's complement; undefined where it is no base64, or of more bytes than any number of ours. */
export function base64Whole(text: string): number | bigint | undefined {
  if (text === '' || text.length > mostBase64 || !base64Form.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length <= safeBytes) return bytes.readIntBE(0, bytes.length)
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

const plainForm = /^[+-]?\d+(\.\d+)?$/

/** Whether a text reads as a number as a database writes it, and whether it may be base64. */
export const isPlainNumber = (text: string): boolean => plainForm.test(text)
export const isBase64 = (text: string): boolean => text !== '' && text.length <= mostBase64 && base64Form.test(text)
