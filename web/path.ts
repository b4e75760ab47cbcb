/** The pieces of an address: they are split before they are decoded, so that %2F and %2C stand within one. */
import type { Given } from './keys.ts'
import { Refused } from './refused.ts'

export const piecesOf = (path: string): readonly string[] => path.split('/').slice(1)

export function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece)
  } catch {
    throw new Refused(
      400,
      `${JSON.stringify(piece)} in the address is not written as addresses are`,
      'Encode it as encodeURIComponent does.',
    )
  }
}

/**
 * One for each field of the key. Null is nothing where there is one field and, as in the keys of the warehouse, \N where there are several.
 */
export function partsOf(piece: string): readonly Given[] {
  const parts = piece.split(',').map(decoded)
  const none = parts.length === 1 ? '' : '\\N'
  return parts.map((part) => (part === none ? null : part))
}
