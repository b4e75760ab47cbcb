/** Decimals as people write them: a whole number of 1 / 10^scale as digits with a point, and back. */

/** With all digits behind the point, zeros too. */
export function decimalText(whole: number | bigint, scale: number): string {
  const text = String(whole)
  if (scale === 0) return text
  const sign = text.startsWith('-') ? '-' : ''
  const digits = text.slice(sign.length).padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Of a text with a point or without one, and no more than `scale` digits behind it. */
export function wholeOf(text: string, scale: number): bigint {
  const point = text.indexOf('.')
  const behind = point < 0 ? 0 : text.length - point - 1
  return BigInt((point < 0 ? text : text.slice(0, point) + text.slice(point + 1)) + '0'.repeat(scale - behind))
}
