/** The bytes of a file that have been fed and not yet read, in one piece: room is made by moving them to the front, or by growing. */
export type Window = {
  bytes: Buffer
  /** The first byte not yet read, and the end of what has been fed. There is always room for one byte more. */
  at: number
  end: number
  /** Where bytes[0] stands in the file. */
  base: number
}

export const newWindow = (): Window => ({ bytes: Buffer.alloc(256), at: 0, end: 0, base: 0 })

export function feed(window: Window, chunk: Uint8Array): void {
  const { bytes, at, end } = window
  if (end + chunk.length >= bytes.length) {
    const unread = end - at
    // At least half of the buffer must become free, or small chunks would have the rest moved time and again.
    const room = Math.max(bytes.length, 2 * (unread + chunk.length) + 2)
    if (room > bytes.length) {
      window.bytes = Buffer.alloc(room)
      bytes.copy(window.bytes, 0, at, end)
    } else bytes.copyWithin(0, at, end)
    window.base += at
    window.at = 0
    window.end = unread
  }
  window.bytes.set(chunk, window.end)
  window.end += chunk.length
}
