/** Messages of others out of an answer to Fetch: equal to what kafkajs reads in it, whatever lies there. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Messages } from '../../utilities/feed.ts'
import { messagesIn } from '../../utilities/kafka/wire/messages.ts'
import { piecesAsTexts } from '../contracts/feed-contract.ts'
import { keptIn } from './stock-codecs.ts'
import { answerWith, logOf, stored, what } from './stored-batches.ts'

/** Bytes as hexadecimal digits. */
const hex = (bytes: Uint8Array | null | undefined) => (bytes ? Buffer.from(bytes).toString('hex') : null)

const plain = ({ keys, values, offsets, times, header, count, next, end }: Messages) => ({
  keys: piecesAsTexts(keys, 'hex'),
  values: piecesAsTexts(values, 'hex'),
  offsets: [...offsets],
  times: [...times],
  headers: Array.from({ length: count }, (_, i) => hex(header(i, 'trace'))),
  next,
  end,
})

async function stock(payload: Buffer, from: number) {
  const { kept, next, lastStable } = await keptIn(payload, what(from))
  return {
    keys: kept.map(({ key }) => hex(key)),
    values: kept.map(({ value }) => hex(value)),
    offsets: kept.map(({ offset }) => Number(offset)),
    times: kept.map(({ timestamp }) => Number(timestamp)),
    headers: kept.map(({ headers }) => hex((headers['trace'] as Uint8Array | undefined) ?? null)),
    next,
    end: lastStable,
  }
}

describe('messages of others', () => {
  it('are those that kafkajs reads: keys, values, times and headers, compacted, aborted, compressed, cut off, from any offset on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stored, { maxLength: 12 }),
        fc.nat(2 ** 40),
        fc.boolean(),
        fc.nat(10_000),
        fc.nat(200),
        async (batches, start, behind, part, missing) => {
          const { data, end, aborted, offsets } = await logOf(batches, start)
          // Anywhere at all, or right behind some message.
          const from = behind && offsets.length > 0 ? offsets[part % offsets.length]! + 1 : start + (part % (end - start + 1))
          const payload = answerWith(data.subarray(0, Math.max(0, data.length - missing)), end, aborted)
          expect(plain((await messagesIn(payload, what(from))).messages)).toEqual(await stock(payload, from))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('lie in the answer itself where no batch is compressed', async () => {
    const record = { gap: 0, later: 0, key: 'key', value: Buffer.from('value'), headers: {} }
    const batch = { producer: 1n, transactional: false, compression: 'none' as const, records: [record, record] }
    const { data, end } = await logOf([batch, batch], 0)
    const payload = answerWith(data, end, null)
    const { keys, values } = (await messagesIn(payload, what(0))).messages
    expect([keys.bytes.buffer, values.bytes.buffer]).toEqual([payload.buffer, payload.buffer])
    payload.write('VALUE', payload.lastIndexOf('value'))
    expect(piecesAsTexts(values)).toEqual(['value', 'value', 'value', 'VALUE'])
  })

  it('may be older than the first of their batch, and lie years apart', async () => {
    const times = [0, -1, 1, -86_400_000 * 365, 86_400_000 * 365 * 50, 2 ** 31, -(2 ** 31) - 1]
    const records = times.map((later) => ({ gap: 0, later, key: null, value: null, headers: {} }))
    const { data, end } = await logOf([{ producer: 1n, transactional: false, compression: 'none', records }], 0)
    const { messages } = await messagesIn(answerWith(data, end, null), what(0))
    expect([...messages.times]).toEqual(times.map((later) => 5 + later))
  })

  it('have the headers that were sent with them, and of several of one name the last', async () => {
    const headers = { a: '1', twice: ['first', 'last'], empty: '', é: 'ü' }
    const record = { gap: 0, later: 0, key: null, value: null, headers }
    const { data, end } = await logOf([{ producer: 1n, transactional: false, compression: 'gzip', records: [record] }], 0)
    const { header } = (await messagesIn(answerWith(data, end, null), what(0))).messages
    const text = (name: string) => header(0, name) && Buffer.from(header(0, name)!).toString()
    expect(['a', 'twice', 'empty', 'é', 'none', ''].map(text)).toEqual(['1', 'last', '', 'ü', undefined, undefined])
  })

  it('are not there when the broker refuses, which it says', async () => {
    const { errorCode, messages } = await messagesIn(answerWith(Buffer.alloc(0), -1, null, 1), what(7))
    expect([errorCode, messages.count, messages.next]).toEqual([1, 0, 7])
  })
})
