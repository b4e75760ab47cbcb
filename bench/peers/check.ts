/**
 * Holds what a lane has written against what it had to write, message by message: their number, their order, every field, every feature.
 */
import type { Batch } from '../../utilities/log.ts'
import { featureNames, type Expected } from './expected.ts'

/** What messages look like: Tidemark's are framed and say when and by which version they were made, the peers' are plain. */
export type Form = 'framed record' | 'framed row' | 'plain row'

/** Values that a peer rounded the other way where the exact one lies half-way between two results. */
export type Checked = { readonly rows: number; readonly ties: number }

const frameBytes = 18
/** How near to half-way binary arithmetic may take a decimal for the one or the other. */
const tieWidth = 1e-6

export async function checkMessages(
  batches: AsyncIterable<Batch>,
  { payload, ends, features, unrounded }: Expected,
  form: Form,
  rows: number,
): Promise<Checked> {
  let row = 0
  let ties = 0
  const wrong = (what: string) => new Error(`message ${row + 1}: ${what}`)
  for await (const batch of batches) {
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)
    for (let i = 0, start = 0; i < batch.ends.length; start = batch.ends[i]!, i++, row++) {
      const end = batch.ends[i]!
      if (row >= rows) throw wrong(`more than ${rows} were written`)
      const [from, to] = [ends[row - 1] ?? 0, ends[row]!]
      let at = start + (form === 'plain row' ? 0 : frameBytes)
      if (at + to - from > end || bytes.compare(payload, from, to, at, at + to - from) !== 0)
        throw wrong('its fields are not those of the loan')
      at += to - from
      if (form === 'framed record') {
        if (at !== end) throw wrong('something follows the record')
        continue
      }
      // The time and the version, which only Tidemark writes.
      if (form === 'framed row') at = afterVarint(bytes, afterVarint(bytes, at))
      for (const [k, name] of featureNames.entries()) {
        const value = bytes[at] === 0 ? NaN : bytes.readDoubleLE(at + 1)
        if (bytes[at] !== 0 && bytes[at] !== 2) throw wrong(`${name} is neither null nor a number`)
        at += bytes[at] === 0 ? 1 : 9
        if (Object.is(value, features[k]![row])) continue
        if (form === 'framed row' || !isTie(value, features[k]![row]!, unrounded[k]![row]!))
          throw wrong(`${name} is ${value}, not ${features[k]![row]}`)
        ties++
      }
      // The marker of the version, always null.
      if (form === 'framed row' && bytes[at++] !== 0) throw wrong('its marker is not null')
      if (at !== end) throw wrong('something follows the features')
    }
  }
  if (row !== rows) throw new Error(`${row} messages of ${rows} were written`)
  return { rows, ties }
}

export function isTie(value: number, expected: number, unrounded: number): boolean {
  const thousandths = unrounded * 1000
  return Math.abs(value - expected) < 0.0010001 && Math.abs(thousandths - Math.floor(thousandths) - 0.5) < tieWidth
}

function afterVarint(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at]! >= 0x80) at++
  return at + 1
}
