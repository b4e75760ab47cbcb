/** LIKE: `%` is any text, `_` one character, and a backslash takes the one behind it as it is. */
import type { TextColumn } from '../../utilities/values/columns.ts'
import { noFlag } from '../../utilities/values/columns.ts'
import { flags, type Flags } from './logic.ts'
import { nextCharacter } from './texts.ts'
import { bothBad, type Values } from './values.ts'

const [percent, underscore, backslash] = [0x25, 0x5f, 0x5c]

export const openEnd = 'a pattern that ends in a backslash'

export function like(text: Values<TextColumn>, pattern: Values<TextColumn>): Flags {
  const [t, p] = [text.column, pattern.column]
  const values = new Uint8Array(t.starts.length)
  const bad = new Map<number, string>()
  for (let row = 0; row < values.length; row++) {
    if (t.starts[row]! < 0 || p.starts[row]! < 0) values[row] = noFlag
    else if (endsOpen(p.bytes, p.starts[row]!, p.ends[row]!)) bad.set(row, openEnd)
    else values[row] = matches(t.bytes, t.starts[row]!, t.ends[row]!, p.bytes, p.starts[row]!, p.ends[row]!) ? 1 : 0
  }
  return flags(values, bothBad(bothBad(text.bad, pattern.bad), bad))
}

/** Whether its last backslash has nothing behind it. */
export function endsOpen(pattern: Uint8Array, from: number, to: number): boolean {
  let at = to
  while (at > from && pattern[at - 1] === backslash) at--
  return (to - at) % 2 === 1
}

/** Goes back to the last `%` only, and lets it take one more character: what went before it need not be tried again. */
function matches(text: Uint8Array, from: number, to: number, pattern: Uint8Array, patternFrom: number, patternTo: number): boolean {
  let [at, wanted] = [from, patternFrom]
  let [again, behindPercent] = [-1, -1]
  while (at < to) {
    const next = wanted < patternTo ? pattern[wanted] : undefined
    const plain = next === backslash ? wanted + 1 : wanted
    if (next === percent) {
      behindPercent = ++wanted
      again = at
    } else if (next === underscore) {
      wanted++
      at = nextCharacter(text, at, to)
    } else if (next !== undefined && pattern[plain] === text[at]) {
      wanted = plain + 1
      at++
    } else if (behindPercent >= 0) {
      at = again = nextCharacter(text, again, to)
      wanted = behindPercent
    } else return false
  }
  while (wanted < patternTo && pattern[wanted] === percent) wanted++
  return wanted === patternTo
}
