/** Other people's texts as a terminal may be given them: names of files, cells, messages of servers. */

/** What a terminal would take for a command, or for an order to turn the writing round, as a dot; lines stay lines. */
export const harmless = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (one) => (one === '\n' ? one : '·'))

/** What a person looks at is made harmless; what goes into a file or a pipe is left as it is. */
export const seenOn = ({ isTTY }: { readonly isTTY?: boolean }, text: string): string => (isTTY ? harmless(text) : text)
