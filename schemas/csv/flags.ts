/** True and false as files write them, in any case. */

/** As lower case letters and digits. */
const words: readonly (readonly [word: string, value: 0 | 1])[] = [
  ['true', 1],
  ['false', 0],
  ['t', 1],
  ['f', 0],
  ['yes', 1],
  ['no', 0],
  ['y', 1],
  ['n', 0],
  ['1', 1],
  ['0', 0],
]

export const flagWords = 'true or false, t or f, yes or no, y or n, 1 or 0'

const bytesOf = words.map(([word, value]) => ({ bytes: Buffer.from(word), value }))

const lower = (byte: number) => (byte >= 65 && byte <= 90 ? byte + 32 : byte)
const isWordByte = (byte: number) => (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 122)

/** Where it ends; the place where it begins where none is there. */
export function flagAt(bytes: Uint8Array, from: number, values: Uint8Array, row: number): number {
  let end = from
  while (end - from < 6 && isWordByte(lower(bytes[end]!))) end++
  for (let i = 0; i < bytesOf.length; i++) {
    const { bytes: word, value } = bytesOf[i]!
    if (word.length !== end - from) continue
    let same = 0
    while (same < word.length && lower(bytes[from + same]!) === word[same]) same++
    if (same < word.length) continue
    values[row] = value
    return end
  }
  return from
}
