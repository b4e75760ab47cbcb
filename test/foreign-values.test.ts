/** Values as databases send them, in every form that they come in, and what a person hears of columns that come, go or change. */
import { describe, expect, it } from 'vitest'
import type { Changes } from '../schemas/foreign/changes.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { date, decimal, flag, integer, number, text, timestamp } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { messagesOf, type Sent } from './foreign-messages.ts'
import { linesOf, saidBy } from './foreign-rows.ts'

const decode = (source: ForeignSource, sent: readonly Sent[]): Promise<Changes> => foreignDecoder(source, undefined)(messagesOf(sent))
const saidOf = async (source: ForeignSource, sent: readonly Sent[]) => saidBy(await decode(source, sent))

const noBase64 = 'is not a decimal number in base64, as others of this column are: say "decimals" of the source in the config file'

describe('values of a database', () => {
  const things = table(
    'things',
    { key: 'id' },
    {
      id: integer(),
      price: decimal({ digits: 12, scale: 2 }),
      share: number(),
      at: timestamp(),
      day: date(),
      note: text({ bytes: 40 }),
      ok: flag(),
    },
  )
  const of: ForeignSource = { ...things, format: 'debezium' }
  const value = (cells: string) => ({ value: `{"id":1,${cells}}` })
  const prices = async (texts: readonly string[], more: Partial<ForeignSource> = {}) =>
    (
      await saidOf(
        { ...of, ...more },
        texts.map((one) => value(`"price":"${one}"`)),
      )
    ).map((line) => line.replace(/ \| ∅ .*/, ''))

  it('in base64 are told from texts by what the whole batch shows', async () => {
    // "1234" may be either: three bytes, or a number.
    expect(await prices(['1234'])).toEqual(['1 | 1234.00'])
    expect(await prices(['1234', 'AQ=='])).toEqual(['1 | -26588.24', '1 | 0.01'])
    expect(await prices(['AQ==', '1234'])).toEqual(['1 | 0.01', '1 | -26588.24'])
    expect(await prices(['1234', '12.5', '1234'])).toEqual(['1 | 1234.00', '1 | 12.50', '1 | 1234.00'])
    expect(await prices(['1234', '5', 'AQ=='])).toEqual(['1 | 1234.00', '1 | 5.00', 'dead: price: "AQ==" is not a decimal number'])
    expect(await prices(['AQ==', '12.5'])).toEqual(['1 | 0.01', `dead: price: "12.5" ${noBase64}`])
    expect(await prices(['1234'], { decimals: 'base64' })).toEqual(['1 | -26588.24'])
    expect(await prices(['1234', '-1'], { decimals: 'text' })).toEqual(['1 | 1234.00', '1 | -1.00'])
    expect(await prices(['/w==', 'AP8=', '////////////', 'abc', ''])).toEqual([
      '1 | -0.01',
      '1 | 2.55',
      '1 | -0.01',
      `dead: price: "abc" ${noBase64}`,
      `dead: price: "" ${noBase64}`,
    ])
  })

  it('in base64 are remembered from batch to batch', async () => {
    const decodes = foreignDecoder(of, undefined)
    await decodes(messagesOf([value('"price":"AQ=="')]))
    expect(linesOf((await decodes(messagesOf([value('"price":"1234"')]))).rows)[0]).toMatch(/^1 \| -26588\.24 /)
  })

  it('with a scale of their own are exact, or do not fit', async () => {
    const scaled = async (scale: number | string, base64: string) =>
      (await saidOf(of, [value(`"price":{"scale":${scale},"value":"${base64}"}`)]))[0]!.replace(/ \| ∅ .*/, '')
    expect(await scaled(1, 'AQ==')).toBe('1 | 0.10')
    expect(await scaled(0, 'AQ==')).toBe('1 | 1.00')
    expect(await scaled(-3, 'AQ==')).toBe('1 | 1000.00')
    expect(await scaled(3, 'Cg==')).toBe('1 | 0.01')
    expect(await scaled(3, 'AQ==')).toBe('dead: price: {"scale":3,"value":"AQ=="} has more than 2 digits behind the point')
    expect(await scaled(2_000_000_000, 'AQ==')).toContain('has more than 2 digits behind the point')
    expect(await scaled(-2_000_000_000, 'AQ==')).toContain('has more than 10 digits before the point')
    expect(await scaled(2_000_000_000, 'AA==')).toBe('1 | 0.00')
    expect(await scaled(0.5, 'AQ==')).toContain('is not a decimal number')
    expect(await scaled(2, 'A')).toContain('is not a decimal number')
  })

  it('that are no numbers are null, and dead where nothing may be', async () => {
    expect(await saidOf(of, [value('"share":"NaN","price":"NaN"'), value('"share":"-Infinity","price":"POSITIVE_INFINITY"')])).toEqual([
      '1 | ∅ | ∅ | ∅ | ∅ | ∅ | ∅',
      '1 | ∅ | ∅ | ∅ | ∅ | ∅ | ∅',
    ])
    const must = table('must', { key: 'id' }, { id: integer(), share: number({ nullable: false, from: 'sharing' }) })
    expect(await saidOf({ ...must, format: 'debezium' }, [value('"sharing":"NaN"'), value('"sharing":null'), value('"share":1')])).toEqual([
      'dead: share is "NaN"',
      'dead: share is null',
      'dead: it has no sharing, which share is read from',
    ])
  })

  it('that were not sent keep what they have, whatever stands in their place', async () => {
    const word = '__debezium_unavailable_value'
    const places = [
      JSON.stringify(word),
      JSON.stringify(Buffer.from(word).toString('base64')),
      JSON.stringify(Buffer.from(word).toString('hex')),
      JSON.stringify([word]),
      JSON.stringify([...Buffer.from(word)]),
      JSON.stringify({ [word]: word }),
    ]
    const { rows, unsent } = await decode(of, [...places.map((one) => value(`"note":${one},"price":${one}`)), value(`"note":"${word}s"`)])
    expect([...unsent.keys()]).toEqual([0, 1, 2, 3, 4, 5])
    expect([...unsent.values()].every((names) => names.join() === 'price,note')).toBe(true)
    expect(linesOf(rows)[6]).toBe(`1 | ∅ | ∅ | ∅ | ∅ | ${word}s | ∅`)
  })

  it('are what the schema beside them says, whatever their size', async () => {
    const field = (name: string, type: string, known = '') => `{"field":"${name}","type":"${type}"${known && `,"name":"${known}"`}}`
    const price = '{"field":"price","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"1"}}'
    const fields = (at: string, day: string) => `[${field('id', 'int32')},${at},${day},${price},${field('note', 'bytes')}]`
    const wrapped = (at: string, day: string, cells: string) => ({
      value: `{"schema":{"type":"struct","fields":${fields(at, day)}},"payload":{"id":1,${cells}}}`,
    })
    const date = field('day', 'int32', 'io.debezium.time.Date')
    const cells = '"at":1000,"day":1,"price":"Cg==","note":"AQ=="'
    const all = [
      wrapped(field('at', 'int64', 'io.debezium.time.Timestamp'), date, cells),
      wrapped(field('at', 'int64', 'io.debezium.time.MicroTimestamp'), date, cells),
      wrapped(field('at', 'int64', 'io.debezium.time.NanoTimestamp'), date, cells.replace('1000', '-1')),
      wrapped(field('at', 'int32', 'io.debezium.time.Date'), date, cells.replace('1000', '1')),
      wrapped(field('at', 'int64', 'io.debezium.time.MicroTime'), date, cells),
      wrapped(field('at', 'int64', 'org.apache.kafka.connect.data.Timestamp'), field('day', 'int64', 'io.debezium.time.Timestamp'), cells),
      wrapped(field('at', 'int64', 'io.debezium.time.Timestamp'), field('day', 'int32', 'io.debezium.time.Time'), cells),
      { value: '{"schema":null,"payload":{"id":1}}' },
    ]
    expect(await saidOf(of, all)).toEqual([
      '1 | 1.00 | ∅ | 1970-01-01T00:00:01Z | 1970-01-02 | AQ== | ∅',
      '1 | 1.00 | ∅ | 1970-01-01T00:00:00.001Z | 1970-01-02 | AQ== | ∅',
      '1 | 1.00 | ∅ | 1969-12-31T23:59:59.999999Z | 1970-01-02 | AQ== | ∅',
      '1 | 1.00 | ∅ | 1970-01-02T00:00:00Z | 1970-01-02 | AQ== | ∅',
      'dead: at: 1000 is a time of day, and that is not a moment',
      'dead: day: 1 is a moment, and a moment is not a day',
      'dead: day: 1 is a time of day, and that is not a day',
      '1 | ∅ | ∅ | ∅ | ∅ | ∅ | ∅',
    ])
    expect(await saidOf({ ...of, timestamps: 'milliseconds' }, [value('"at":1000')])).toEqual([
      '1 | ∅ | ∅ | 1970-01-01T00:00:01Z | ∅ | ∅ | ∅',
    ])
  })

  it('have columns that come, go or change told once', async () => {
    const decodes = foreignDecoder(of, undefined)
    const whole = '"price":"1.5","share":1,"at":0,"day":1,"note":"a","ok":true'
    expect((await decodes(messagesOf([value(whole)]))).notes).toEqual([])
    const changed = await decodes(
      messagesOf([
        value(`${whole},"colour":"red","size":1,"__op":"c"`),
        value(whole.replace(',"ok":true', '')),
        value(whole.replace('"day":1', '"day":"soon"')),
      ]),
    )
    expect(changed.notes).toEqual([
      'things: the source sends colour, which is not read: add it to the definition, or leave it',
      'things: the source sends size, which is not read: add it to the definition, or leave it',
      'things: the source does not send ok (any more): ok is null from now on. Take it out of the definition, or bring it back',
      'things: values of day fit no more (day: "soon" is not a date of the form YYYY-MM-DD, nor a number of days since 1970): ' +
        'such messages go to the dead letters. Where the source has changed the column, change the field',
    ])
    expect((await decodes(messagesOf([value(`${whole},"colour":"red"`), value('"day":"soon"')]))).notes).toEqual([])
  })
})
