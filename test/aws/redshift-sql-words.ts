/** Redshift's SQL as words: enough of its lexical rules to find statements, names, types and parameters in it. */

export type Word = {
  /** plain: a name or key word in upper case · quoted: a name in double quotes · parameter: :name */
  readonly kind: 'plain' | 'quoted' | 'string' | 'number' | 'parameter' | 'symbol'
  readonly text: string
}

const blank = /\s+|--[^\n]*|\/\*[\s\S]*?\*\//y
const name = /[\p{L}_#][\p{L}\p{N}_$]*/uy
const quotedName = /"(?:[^"]|"")*"/y
const number = /\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?/y
const symbol = /::|<>|<=|>=|!=|\|\||!?~\*?|[^\s]/y
const parameter = /:[0-9a-zA-Z_]+/y
/** Whether a backslash in a literal is an escape is believed, not confirmed: the server can be either. */
const literals = { escape: /'(?:[^'\\]|\\[\s\S]|'')*'/y, plain: /'(?:[^']|'')*'/y }

export type Backslash = keyof typeof literals

export class SqlError extends Error {
  override readonly name = 'SqlError'
}

export function wordsOf(sql: string, backslash: Backslash): Word[] {
  const words: Word[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(sql)?.[0]
    if (found) at += found.length
    return found
  }
  while (at < sql.length) {
    if (take(blank)) continue
    const start = sql[at]!
    if (start === "'") {
      const text = take(literals[backslash])
      if (!text) throw new SqlError(`unterminated quoted string at or near "${sql.slice(at, at + 40)}"`)
      words.push({ kind: 'string', text })
    } else if (start === '"') {
      const text = take(quotedName)
      if (!text) throw new SqlError(`unterminated quoted identifier at or near "${sql.slice(at, at + 40)}"`)
      // Quoted or not, a name is folded to lower case, unless enable_case_sensitive_identifier was set.
      words.push({ kind: 'quoted', text: text.toLowerCase() })
    } else if (start === ':' && sql[at + 1] !== ':' && /[0-9a-zA-Z_]/.test(sql[at + 1] ?? ''))
      words.push({ kind: 'parameter', text: take(parameter)! })
    else {
      const plain = take(name)
      if (plain) words.push({ kind: 'plain', text: plain.toUpperCase() })
      else {
        const digits = take(number)
        words.push(digits ? { kind: 'number', text: digits } : { kind: 'symbol', text: take(symbol)! })
      }
    }
  }
  return words
}

/** The statements between the semicolons. */
export function statementsOf(words: readonly Word[]): Word[][] {
  const statements: Word[][] = [[]]
  for (const word of words) {
    if (word.kind === 'symbol' && word.text === ';') statements.push([])
    else statements.at(-1)!.push(word)
  }
  return statements.filter((statement) => statement.length > 0)
}

/** The words with literals emptied: what patterns are looked for in, so that no text in a literal is taken for SQL. */
export const outline = (words: readonly Word[]) => words.map(({ kind, text }) => (kind === 'string' ? "''" : text)).join(' ')

export const textOf = (words: readonly Word[]) => words.map(({ text }) => text).join(' ')

/** Index of the bracket that closes the one at `open`. */
export function closing(words: readonly Word[], open: number): number {
  let depth = 0
  for (let i = open; i < words.length; i++) {
    if (words[i]!.kind !== 'symbol') continue
    if (words[i]!.text === '(') depth++
    if (words[i]!.text === ')' && --depth === 0) return i
  }
  throw new SqlError('syntax error at end of input')
}

/** The words between the commas that stand in no bracket. */
export function listOf(words: readonly Word[]): Word[][] {
  const parts: Word[][] = [[]]
  let depth = 0
  for (const word of words) {
    if (word.kind === 'symbol' && word.text === '(') depth++
    if (word.kind === 'symbol' && word.text === ')') depth--
    if (word.kind === 'symbol' && word.text === ',' && depth === 0) parts.push([])
    else parts.at(-1)!.push(word)
  }
  return parts
}
