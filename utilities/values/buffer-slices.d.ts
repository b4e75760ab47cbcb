/** Two methods of Node's Buffer that its type declarations leave out: the shortest way from bytes to a string. */
declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string
    utf8Slice(start?: number, end?: number): string
  }
}
export {}
