/** Messages as nobody should write them, each with the row or the reason that it comes to. */
import { describe, expect, it } from 'vitest'
import { says } from '../schemas/foreign/changes.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { date, decimal, flag, integer, number, text, timestamp } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { messagesOf, type Sent } from './foreign-messages.ts'
import { linesOf } from './foreign-rows.ts'

const fields = {
  id: integer({ nullable: false }),
  whole: integer(),
  amount: decimal({ digits: 12, scale: 2 }),
  vast: decimal({ digits: 38, scale: 10 }),
  share: number(),
  paid: flag(),
  day: date(),
  at: timestamp(),
  note: text({ bytes: 12 }),
}
const sales = table('sales', { key: 'id' }, fields)
const source = (format: ForeignSource['format'], more: Partial<ForeignSource> = {}): ForeignSource => ({ ...sales, format, ...more })

/** What one message comes to: its row, without what is null in it; that a row is gone; or why it is dead. */
async function one(of: ForeignSource, sent: Sent): Promise<string> {
  const changes = await foreignDecoder(of, undefined)(messagesOf([sent]))
  const { said, rows, gone, dead } = changes
  if (said[0] === says.dead) return dead[0]!.reason
  if (said[0] === says.put) {
    const names = Object.keys(of.fields)
    const cells = linesOf(rows)[0]!.split(' | ')
    return names.flatMap((name, i) => (cells[i] === '∅' || name === 'id' ? [] : [`${name} ${cells[i]}`])).join(', ') || 'row'
  }
  return said[0] === says.gone ? `gone ${linesOf(gone)[0]}` : said[0] === says.emptied ? 'emptied' : 'nothing'
}

const long = 'x'.repeat(60)
const json: readonly (readonly [value: string | Uint8Array | null, is: string])[] = [
  // What is not JSON.
  ['', 'it is empty'],
  ['   ', 'it is not JSON: it ends too soon'],
  ['hello', 'it is not JSON from byte 0 on'],
  ['{"id":1', 'it is not JSON: it ends too soon'],
  ['{"id":1}}', 'it is not JSON from byte 8 on'],
  ['{"id":1}{"id":2}', 'it is not JSON from byte 8 on'],
  ["{'id':1}", 'it is not JSON from byte 1 on'],
  ['{id:1}', 'it is not JSON from byte 1 on'],
  ['{"id":1,}', 'it is not JSON from byte 8 on'],
  ['{"id":01}', 'it is not JSON from byte 7 on'],
  ['{"id":+1}', 'it is not JSON from byte 6 on'],
  ['{"id":.5}', 'it is not JSON from byte 6 on'],
  ['{"id":1,"share":NaN}', 'it is not JSON from byte 16 on'],
  ['{"id":1,"share":Infinity}', 'it is not JSON from byte 16 on'],
  ['{"id":1,"share":-Infinity}', 'it is not JSON from byte 17 on'],
  ['{"id":1,"note":"a\nb"}', 'it is not JSON from byte 17 on'],
  ['{"id":1,"note":"\\x41"}', 'it is not JSON from byte 16 on'],
  ['{"id":1,"note":"\\u00g0"}', 'it is not JSON from byte 16 on'],
  ['{"id":1,"note":"a\u0000b"}', 'it is not JSON from byte 17 on'],
  ['\u0000\u0000\u0000', 'it is not JSON from byte 0 on'],
  ['\ufeff{"id":1}', 'it is not JSON from byte 0 on'],
  [Buffer.from('{"id":1,"note":"\xff"}', 'latin1'), 'its bytes are not UTF-8'],
  [Buffer.from('{"id":1,"other":"\xe9"}', 'latin1'), 'its bytes are not UTF-8'],
  [Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]), 'its bytes are not UTF-8'],
  [`{"id":1,"other":${'['.repeat(100)}${']'.repeat(100)}}`, 'it is nested deeper than 64'],
  [`{"id":1,"other":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`, 'it is nested deeper than 64'],
  // What is no object, or not of the key.
  ['[]', 'it is not an object'],
  ['[{"id":1}]', 'it is not an object'],
  ['1', 'it is not an object'],
  ['"id"', 'it is not an object'],
  ['true', 'it is not an object'],
  ['null', 'it has no key'],
  [null, 'it has no key'],
  ['{}', 'it has no id'],
  ['{"ID":1}', 'it has no id'],
  ['{"id":null}', 'id is null'],
  ['{"id":{"id":1}}', 'id: {"id":1} is not a whole number'],
  ['{"id":[1]}', 'id: [1] is not a whole number'],
  ['{"id":"one"}', 'id: "one" is not a whole number'],
  // Members.
  ['{"id":1}', 'row'],
  ['\t{ "id" :\n1 }\r\n', 'row'],
  ['{"id":1,"whole":2,"whole":3}', 'whole 3'],
  ['{"id":1,"whole":3,"whole":null}', 'row'],
  ['{"id":1,"whole":"x","whole":3}', 'whole 3'],
  ['{"id":1,"wh\\u006fle":3}', 'whole 3'],
  ['{"id":1,"other":{"whole":3},"more":[{"whole":4}]}', 'row'],
  ['{"id":1,"__proto__":{"whole":3},"constructor":1}', 'row'],
  ['{"id":1,"":0,"\\u0000":0}', 'row'],
  // Whole numbers.
  ['{"id":"1","whole":"-7"}', 'whole -7'],
  ['{"id":1.0,"whole":1.2e1}', 'whole 12'],
  ['{"id":1e0,"whole":120E-1}', 'whole 12'],
  ['{"id":1,"whole":-0}', 'whole 0'],
  ['{"id":1,"whole":9007199254740993}', 'whole 9007199254740993'],
  ['{"id":1,"whole":9223372036854775807}', 'whole 9223372036854775807'],
  ['{"id":1,"whole":-9223372036854775808}', 'whole -9223372036854775808'],
  ['{"id":1,"whole":9223372036854775808}', 'whole: 9223372036854775808 does not fit into 64 bits'],
  ['{"id":1,"whole":-9223372036854775809}', 'whole: -9223372036854775809 does not fit into 64 bits'],
  ['{"id":1,"whole":1e400}', 'whole: 1e400 does not fit into 64 bits'],
  ['{"id":1,"whole":1e99999999999999999999}', 'whole: 1e99999999999999999999 does not fit into 64 bits'],
  [`{"id":1,"whole":${'9'.repeat(100_000)}}`, `whole: ${'9'.repeat(60)}… does not fit into 64 bits`],
  ['{"id":1,"whole":1.5}', 'whole: 1.5 is not a whole number'],
  ['{"id":1,"whole":1e-400}', 'whole: 1e-400 is not a whole number'],
  ['{"id":1,"whole":0e-400}', 'whole 0'],
  ['{"id":1,"whole":""}', 'whole: "" is not a whole number'],
  ['{"id":1,"whole":" 7"}', 'whole: " 7" is not a whole number'],
  ['{"id":1,"whole":"0x10"}', 'whole: "0x10" is not a whole number'],
  ['{"id":1,"whole":"1_000"}', 'whole: "1_000" is not a whole number'],
  ['{"id":1,"whole":"١"}', 'whole: "١" is not a whole number'],
  ['{"id":1,"whole":true}', 'whole: true is not a whole number'],
  ['{"id":1,"whole":"\\u0037"}', 'whole 7'],
  ['{"id":1,"whole":"7\\u0000"}', 'whole: "7\\u0000" is not a whole number'],
  // Decimals.
  ['{"id":1,"amount":12.5,"vast":"0.1"}', 'amount 12.50, vast 0.1000000000'],
  ['{"id":1,"amount":0.1e2}', 'amount 10.00'],
  ['{"id":1,"amount":"12.500"}', 'amount 12.50'],
  ['{"id":1,"vast":1234567890123456789012345678.0123456789}', 'vast 1234567890123456789012345678.0123456789'],
  ['{"id":1,"amount":9999999999.99}', 'amount 9999999999.99'],
  ['{"id":1,"amount":10000000000}', 'amount: 10000000000 has more than 10 digits before the point'],
  ['{"id":1,"amount":1e400}', 'amount: 1e400 has more than 10 digits before the point'],
  ['{"id":1,"amount":12.345}', 'amount: 12.345 has more than 2 digits behind the point'],
  ['{"id":1,"amount":1e-400}', 'amount: 1e-400 has more than 2 digits behind the point'],
  ['{"id":1,"amount":"NaN"}', 'amount: "NaN" is not a decimal number'],
  ['{"id":1,"amount":"1,50"}', 'amount: "1,50" is not a decimal number'],
  ['{"id":1,"amount":"AQ=="}', 'amount: "AQ==" is not a decimal number'],
  ['{"id":1,"amount":[12.5]}', 'amount: [12.5] is not a decimal number'],
  ['{"id":1,"amount":{"scale":2,"value":"AQ=="}}', 'amount: {"scale":2,"value":"AQ=="} is not a decimal number'],
  // Numbers.
  ['{"id":1,"share":1e308}', 'share 1e+308'],
  ['{"id":1,"share":-0.0}', 'share 0'],
  ['{"id":1,"share":0.1}', 'share 0.1'],
  ['{"id":1,"share":"0.1"}', 'share 0.1'],
  ['{"id":1,"share":1e-400}', 'share 0'],
  ['{"id":1,"share":12345678901234567890.123}', 'share 12345678901234567000'],
  ['{"id":1,"share":1e400}', 'share: 1e400 is too large for a number'],
  ['{"id":1,"share":"NaN"}', 'share: "NaN" is not a number'],
  ['{"id":1,"share":"Infinity"}', 'share: "Infinity" is not a number'],
  ['{"id":1,"share":false}', 'share: false is not a number'],
  // Flags.
  ['{"id":1,"paid":false}', 'paid false'],
  ['{"id":1,"paid":1}', 'paid true'],
  ['{"id":1,"paid":"f"}', 'paid false'],
  ['{"id":1,"paid":2}', 'paid: 2 is neither true nor false'],
  ['{"id":1,"paid":1.0}', 'paid: 1.0 is neither true nor false'],
  ['{"id":1,"paid":"yes"}', 'paid: "yes" is neither true nor false'],
  ['{"id":1,"paid":[]}', 'paid: [] is neither true nor false'],
  // Days.
  ['{"id":1,"day":"2024-02-29"}', 'day 2024-02-29'],
  ['{"id":1,"day":"2024-02-29Z"}', 'day 2024-02-29'],
  ['{"id":1,"day":-719162}', 'day 0001-01-01'],
  ['{"id":1,"day":"2023-02-29"}', 'day: "2023-02-29" is not a real day'],
  ['{"id":1,"day":"0000-01-01"}', 'day: "0000-01-01" is not a real day'],
  ['{"id":1,"day":"29.02.2024"}', 'day: "29.02.2024" is not a date of the form YYYY-MM-DD, nor a number of days since 1970'],
  ['{"id":1,"day":"infinity"}', 'day: "infinity" is not a date of the form YYYY-MM-DD, nor a number of days since 1970'],
  ['{"id":1,"day":"2024-02-29T00:00:00Z"}', 'day: "2024-02-29T00:00:00Z" is a moment, and a moment is not a day'],
  ['{"id":1,"day":1709164800000}', 'day: 1709164800000 is not within the years 1 to 9999'],
  ['{"id":1,"day":1.5}', 'day: 1.5 is not a date of the form YYYY-MM-DD, nor a number of days since 1970'],
  // Moments.
  ['{"id":1,"at":"2026-03-29T01:30:00+02:00"}', 'at 2026-03-28T23:30:00Z'],
  ['{"id":1,"at":"2026-03-29 01:30"}', 'at 2026-03-29T01:30:00Z'],
  ['{"id":1,"at":"2026-03-29T01:30:00.123456789Z"}', 'at 2026-03-29T01:30:00.123456Z'],
  ['{"id":1,"at":1774751400123}', 'at 2026-03-29T02:30:00.123Z'],
  ['{"id":1,"at":1774751400123456}', 'at 2026-03-29T02:30:00.123456Z'],
  ['{"id":1,"at":1774751400123456789}', 'at 2026-03-29T02:30:00.123456Z'],
  ['{"id":1,"at":-2208988800000}', 'at 1900-01-01T00:00:00Z'],
  ['{"id":1,"at":0}', 'at 1970-01-01T00:00:00Z'],
  [
    '{"id":1,"at":1774751400}',
    'at: 1774751400 is too small to tell milliseconds from microseconds: say "timestamps" of the source in the config file',
  ],
  ['{"id":1,"at":-9223372036832400}', 'at: -9223372036832400 is not within the years 1 to 9999'],
  ['{"id":1,"at":1e30}', 'at: 1e30 is not within the years 1 to 9999'],
  ['{"id":1,"at":1774751400123.5}', 'at: 1774751400123.5 is not a timestamp of the form YYYY-MM-DDThh:mm:ss, nor a whole number'],
  ['{"id":1,"at":"2026-13-01T00:00:00Z"}', 'at: "2026-13-01T00:00:00Z" is not a real day'],
  ['{"id":1,"at":"2026-12-01T24:00:00Z"}', 'at: "2026-12-01T24:00:00Z" is not a time of day'],
  ['{"id":1,"at":"0001-01-01T00:00:00+01:00"}', 'at: "0001-01-01T00:00:00+01:00" is not within the years 1 to 9999'],
  ['{"id":1,"at":"yesterday"}', 'at: "yesterday" is not a timestamp of the form YYYY-MM-DDThh:mm:ss, nor a whole number'],
  ['{"id":1,"at":"2026-03-29"}', 'at: "2026-03-29" is not a timestamp of the form YYYY-MM-DDThh:mm:ss, nor a whole number'],
  // Texts.
  ['{"id":1,"note":""}', 'note '],
  ['{"id":1,"note":"a\\tb\\/\\u00e9🦀"}', 'note a\tb/é🦀'],
  ['{"id":1,"note":"\\ud83e\\udd80"}', 'note 🦀'],
  ['{"id":1,"note":12.50}', 'note 12.50'],
  ['{"id":1,"note":true}', 'note true'],
  ['{"id":1,"note":[1, "a"]}', 'note [1, "a"]'],
  ['{"id":1,"note":{"a" : 1}}', 'note {"a" : 1}'],
  ['{"id":1,"note":"nul \\u0000"}', 'note nul \u0000'],
  ['{"id":1,"note":"\\ud83e"}', 'note: "\\ud83e" is half of a character'],
  ['{"id":1,"note":"\\udd80\\ud83e"}', 'note: "\\udd80\\ud83e" is half of a character'],
  ['{"id":1,"note":"éééééé"}', 'note éééééé'],
  ['{"id":1,"note":"ééééééé"}', 'note: "ééééééé" is longer than 12 bytes'],
  [`{"id":1,"note":"${'x'.repeat(5_000_000)}"}`, `note: "${long}…" is longer than 12 bytes`],
  ['{"id":1,"note":"\u202eevil and more"}', 'note: "\\u202eevil and more" is longer than 12 bytes'],
  ['{"id":1,"note":"__debezium_unavailable_value"}', 'note: "__debezium_unavailable_value" is longer than 12 bytes'],
]

describe('hostile messages in JSON', () => {
  it('are more than a hundred', () => {
    expect(json.length).toBeGreaterThan(100)
  })

  it.each(json.map(([value, is], i) => [i, value, is] as const))('%i comes to its row or its reason', async (_, value, is) => {
    expect(await one(source('json'), { value })).toBe(is)
  })

  it('do no harm to those before and behind them', async () => {
    const good = (id: number) => ({ value: `{"id":${id},"note":"n${id}","vast":${10n ** 20n + BigInt(id)}}` })
    const all = json.flatMap(([value], i) => [good(1000 + i), { value }])
    const { rows, put } = await foreignDecoder(source('json'), undefined)(messagesOf(all))
    const lines = new Map([...put].map((message, row) => [message, linesOf(rows)[row]!]))
    for (const i of json.keys())
      expect(lines.get(2 * i)).toBe(`${1000 + i} | ∅ | ∅ | ${10n ** 20n + 1000n + BigInt(i)}.0000000000 | ∅ | ∅ | ∅ | ∅ | n${1000 + i}`)
  })
})
