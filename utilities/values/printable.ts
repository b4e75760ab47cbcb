/** Other people's texts as a terminal may be given them: names of files, cells and messages of servers can hold anything. */

/** What a terminal would take for a command, for the end of a line, or for an order to turn the writing round. */
const orders = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** For messages: each of them is written out, line ends included. */
export const printable = (text: string): string =>
  text.replace(orders, (one) => {
    const code = one.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })

/** For what has a width, as a table has: each of them is a dot; lines stay lines. */
export const harmless = (text: string): string => text.replace(orders, (one) => (one === '\n' ? one : '·'))

/** What a person looks at is made harmless; what goes into a file or a pipe is left as it is. */
export const seenOn = ({ isTTY }: { readonly isTTY?: boolean }, text: string): string => (isTTY ? harmless(text) : text)
