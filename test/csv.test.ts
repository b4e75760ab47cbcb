/** The CSV reader: tricky files with their exact rows and rejects, and a plain reader, character by character, that it must agree with. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCsv, type CsvBatch } from '../schemas/csv/read.ts'
import { date, number, record, text, type RecordSchema } from '../schemas/record.ts'
import { plainRead } from './csv-plain.ts'
import { batchesOf as batchesBy, cutInto, isoDay, rowsOf, short, type Reading, type Row, type ShortReject } from './csv-rows.ts'

const saleWith = (bytes: number): RecordSchema =>
  record('sale', 'day', {
    amount: number('Amount', { nullable: false }),
    day: date('Day', { nullable: false }),
    note: text('Note', { bytes }),
    rate: number('Rate'),
  })
const sale = saleWith(1 << 21)
/** Notes that are longer are met often. */
const brief = saleWith(12)
const head = 'Amount,Day,Note,Rate\n'

const batchesOf = (content: string | Uint8Array, options: Partial<Reading> = {}) => batchesBy(content, { schema: sale, ...options })

const read = async (content: string | Uint8Array, options: Partial<Reading> = {}) => {
  const batches = await batchesOf(content, options)
  return { rows: batches.flatMap(rowsOf), rejects: batches.flatMap(({ rejects }) => rejects), lastSeq: batches.at(-1)?.lastSeq ?? 0 }
}

type Example = {
  readonly says: string
  readonly file: string | Uint8Array
  readonly rows: readonly Row[]
  readonly rejects?: readonly ShortReject[]
}

const good = '5,2007-05-26,ok,1'
const examples: readonly Example[] = [
  { says: 'a header alone has no rows', file: head, rows: [] },
  { says: 'a header without a line end has no rows', file: head.trimEnd(), rows: [] },
  { says: 'the last line may lack its line end', file: `${head}${good}`, rows: [[1, 5, '2007-05-26', 'ok', 1]] },
  { says: 'a byte order mark is skipped', file: `\ufeff${head}${good}\n`, rows: [[1, 5, '2007-05-26', 'ok', 1]] },
  { says: 'the header may be quoted', file: `"Amount","Day",Note,"Rate"\r\n${good}\n`, rows: [[1, 5, '2007-05-26', 'ok', 1]] },
  {
    says: 'lines may end in CRLF',
    file: `${head.replace('\n', '\r\n')}5,2007-05-26,ok,1\r\n6,2007-05-27,"ok",\r\n`,
    rows: [
      [1, 5, '2007-05-26', 'ok', 1],
      [2, 6, '2007-05-27', 'ok', null],
    ],
  },
  {
    says: 'empty cells are null, quoted or not',
    file: `${head}5,2007-05-26,,\n5,2007-05-26,"",""\n`,
    rows: [
      [1, 5, '2007-05-26', null, null],
      [2, 5, '2007-05-26', null, null],
    ],
  },
  { says: 'zero is a value, and -0 is 0', file: `${head}0,2007-05-26,0,-0\n`, rows: [[1, 0, '2007-05-26', '0', 0]] },
  {
    says: 'text is kept exactly',
    file: `${head}5,2007-05-26,  NULL ,1\n5,2007-05-26," x ",1\n5,2007-05-26,a\rb,1\n`,
    rows: [
      [1, 5, '2007-05-26', '  NULL ', 1],
      [2, 5, '2007-05-26', ' x ', 1],
      [3, 5, '2007-05-26', 'a\rb', 1],
    ],
  },
  {
    says: 'quoted cells hold commas, quotes and line breaks',
    file: `${head}5,2007-05-26,"a, ""b""\nc\r\n\n",1\n6,2007-05-27,d,2\n`,
    rows: [
      [1, 5, '2007-05-26', 'a, "b"\nc\r\n\n', 1],
      [2, 6, '2007-05-27', 'd', 2],
    ],
  },
  { says: 'numbers and dates may be quoted', file: `${head}"5.50","2007-05-26",ok,"-1e2"\n`, rows: [[1, 5.5, '2007-05-26', 'ok', -100]] },
  {
    says: 'a quote inside a cell without quotes is text',
    file: `${head}5,2007-05-26,19" wide "x",1\n`,
    rows: [[1, 5, '2007-05-26', '19" wide "x"', 1]],
  },
  {
    says: 'all of UTF-8 passes',
    file: `${head}5,2007-05-26,Köln 💍 日本,1\n5,2007-05-26,\ufeff,1\n`,
    rows: [
      [1, 5, '2007-05-26', 'Köln 💍 日本', 1],
      [2, 5, '2007-05-26', '\ufeff', 1],
    ],
  },
  {
    says: 'every form of number',
    file: `${head}+1.50,2007-05-26,,1E-2\n-12345678901234567890,2007-05-26,,0.1234567890123456789\n007,2007-05-26,,1e-400\n`,
    rows: [
      [1, 1.5, '2007-05-26', null, 0.01],
      [2, -12345678901234567890, '2007-05-26', null, 0.12345678901234568],
      [3, 7, '2007-05-26', null, 0],
    ],
  },
  {
    says: 'blank lines have no number but are lines',
    file: `${head}\n\r\n${good}\n\nx,2007-05-26,,\n${good}\n\n`,
    rows: [
      [1, 5, '2007-05-26', 'ok', 1],
      [3, 5, '2007-05-26', 'ok', 1],
    ],
    rejects: [[2, 6, 'Amount', 'not a number', 'x,2007-05-26,,', 1]],
  },
  {
    says: 'a line of spaces is not blank',
    file: `${head}  \n${good}\n`,
    rows: [[2, 5, '2007-05-26', 'ok', 1]],
    rejects: [[1, 2, 'Day', '1 cell where 4 are expected', '  ', 0]],
  },
  {
    says: 'lines are counted through quoted line breaks',
    file: `${head}5,2007-05-26,"a\nb\nc",1\n5,2007-05-26,ok\n`,
    rows: [[1, 5, '2007-05-26', 'a\nb\nc', 1]],
    rejects: [[2, 5, 'Rate', '3 cells where 4 are expected', '5,2007-05-26,ok', 1]],
  },
  {
    says: 'a rejected record counts the lines it takes',
    file: `${head}5,2007-05-26,"a\nb",x\n5,,ok,1\n`,
    rows: [],
    rejects: [
      [1, 2, 'Rate', 'not a number', '5,2007-05-26,"a\nb",x', 0],
      [2, 4, 'Day', 'empty', '5,,ok,1', 0],
    ],
  },
  {
    says: 'too many cells',
    file: `${head}5,2007-05-26,ok,1,\n5,2007-05-26,ok,1,2,3\r\n`,
    rows: [],
    rejects: [
      [1, 2, '5', '5 cells where 4 are expected', '5,2007-05-26,ok,1,', 0],
      [2, 3, '5', '6 cells where 4 are expected', '5,2007-05-26,ok,1,2,3', 0],
    ],
  },
  {
    says: 'what is required may not be empty',
    file: `${head},2007-05-26,ok,1\n"",2007-05-26,ok,1\n5,"",ok,1\n`,
    rows: [],
    rejects: [
      [1, 2, 'Amount', 'empty', ',2007-05-26,ok,1', 0],
      [2, 3, 'Amount', 'empty', '"",2007-05-26,ok,1', 0],
      [3, 4, 'Day', 'empty', '5,"",ok,1', 0],
    ],
  },
  {
    says: 'text behind a closing quote',
    file: `${head}5,2007-05-26,"a" b,1\n5,2007-05-26,"a"b"c,1\n5,2007-05-26,"a"\r,1\n${good}\n`,
    rows: [[4, 5, '2007-05-26', 'ok', 1]],
    rejects: [
      [1, 2, 'Note', 'text after the closing quote', '5,2007-05-26,"a" b,1', 0],
      [2, 3, 'Note', 'text after the closing quote', '5,2007-05-26,"a"b"c,1', 0],
      [3, 4, 'Note', 'text after the closing quote', '5,2007-05-26,"a"\r,1', 0],
    ],
  },
  {
    says: 'bytes that are not UTF-8',
    file: Buffer.from(`${head}5,2007-05-26,caf\xe9,1\n${good}\n`, 'latin1'),
    rows: [[2, 5, '2007-05-26', 'ok', 1]],
    rejects: [[1, 2, 'Note', 'bytes that are not UTF-8', '5,2007-05-26,caf\ufffd,1', 0]],
  },
  {
    says: 'a quote that is never closed costs its own line only',
    file: `${head}${good}\n5,2007-05-26,"open,1\n${good}\n\n${good}`,
    rows: [
      [1, 5, '2007-05-26', 'ok', 1],
      [3, 5, '2007-05-26', 'ok', 1],
      [4, 5, '2007-05-26', 'ok', 1],
    ],
    rejects: [[2, 3, 'Note', 'the quote is never closed', '5,2007-05-26,"open,1', 1]],
  },
  {
    says: 'a quote open on the last line',
    file: `${head}5,2007-05-26,ok,"1`,
    rows: [],
    rejects: [[1, 2, 'Rate', 'the quote is never closed', '5,2007-05-26,ok,"1', 0]],
  },
  { says: 'a CR that ends the file ends its last line', file: `${head}${good}\r`, rows: [[1, 5, '2007-05-26', 'ok', 1]] },
]

describe('a CSV file', () => {
  it.each(examples)('$says', async ({ file, rows, rejects = [] }) => {
    for (const cuts of [[], [1], [7]]) {
      const found = await read(file, { cuts })
      expect(found.rows).toEqual(rows)
      expect(found.rejects.map(short)).toEqual(rejects)
      expect(found.lastSeq).toBe(rows.length + rejects.length)
    }
  })

  const notNumbers = [
    '1 000',
    '"1,000"',
    ' 12',
    '12 ',
    '0x1',
    'Infinity',
    '-Infinity',
    'NaN',
    '5.',
    '.5',
    '-',
    '+',
    '1e',
    '1e+',
    '--1',
    '1.2.3',
    '1_0',
    '١',
    '"1""2"',
    'null',
  ]
  it.each(notNumbers)('%s is not a number', async (cell) => {
    expect((await read(`${head}${cell},2007-05-26,,\n`)).rejects.map(short)).toEqual([
      [1, 2, 'Amount', 'not a number', `${cell},2007-05-26,,`, 0],
    ])
  })

  it('every number is the nearest double, a whole number beyond 2^53 too', async () => {
    const cells = [
      '9007199254740993',
      '-9007199254740993',
      '123456789012345678901',
      '9007199254740992',
      '1e30',
      '0.1',
      '9007199254740993.5',
      '00000000000000000001',
    ]
    const { rows, rejects } = await read(head + cells.map((cell) => `${cell},2007-05-26,,\n`).join(''))
    expect([rows.map((row) => row[1]), rejects]).toEqual([cells.map(Number), []])
    expect(rows[0]![1]).toBe(9007199254740992)
  })

  it('a text longer than its field is rejected, by its bytes', async () => {
    const notes = ['x'.repeat(12), 'é'.repeat(6), '💍💍💍', quoted('x"'.repeat(6))]
    const tooLong = ['x'.repeat(13), `${'é'.repeat(6)}x`, '💍💍💍💍', quoted('"'.repeat(13))]
    const file = head + [...notes, ...tooLong].map((note) => `1,2007-05-26,${note},\n`).join('')
    for (const cuts of [[], [1]]) {
      const { rows, rejects } = await read(file, { cuts, schema: brief })
      expect(rows).toHaveLength(4)
      expect(rejects.map(({ seq, column, reason }) => [seq, column, reason])).toEqual(
        [5, 6, 7, 8].map((seq) => [seq, 'Note', 'longer than 12 bytes']),
      )
    }
  })

  it('a number beyond the largest double is rejected', async () => {
    expect((await read(`${head}-1e999,2007-05-26,,\n`)).rejects[0]).toMatchObject({ column: 'Amount', reason: 'too large for a number' })
  })

  const notDays = ['2023-02-29', '1900-02-29', '2007-13-01', '2007-00-10', '2007-04-31', '2007-01-00', '0000-01-01']
  it.each(notDays)('%s is not a real day', async (cell) => {
    expect((await read(`${head}1,${cell},,\n`)).rejects[0]).toMatchObject({ column: 'Day', reason: 'not a real day' })
  })

  it.each(['2007-5-26', '26.05.2007', '2007-05-26T00:00', ' 2007-05-26', '20070526', '-007-05-26', '2007-05-2x'])(
    '%s is not written as a date',
    async (cell) => {
      expect((await read(`${head}1,${cell},,\n`)).rejects[0]).toMatchObject({ column: 'Day', reason: 'not a date of the form YYYY-MM-DD' })
    },
  )

  it.each(['1900-12-31', '0050-06-01', '0001-01-01'])('%s lies before the years that can be asked for', async (cell) => {
    expect((await read(`${head}1,${cell},,\n`)).rejects[0]).toMatchObject({ column: 'Day', reason: 'before 1901' })
  })

  it('leap days and the ends of the calendar are days', async () => {
    const days = ['2000-02-29', '2024-02-29', '1969-12-31', '1970-01-01', '1901-01-01', '9999-12-31']
    expect((await read(head + days.map((day) => `1,${day},,\n`).join(''))).rows.map((row) => row[2])).toEqual(days)
  })
})

describe('a header', () => {
  it.each([
    ['another name', 'Amount,Days,Note,Rate\n', 'sales.csv has no column "Day", which sale needs', 'The closest there: "Days". '],
    [
      'another case',
      'amount,day,Note,Rate\n',
      'sales.csv has no columns "Amount", "Day", which sale needs',
      'The closest there: "amount", "day". ',
    ],
    ['a column too few', 'Amount,Day,Note', 'sales.csv has no column "Rate", which sale needs', 'It has "Amount", "Day", "Note". '],
    [
      'no header',
      `${good}\n`,
      'sales.csv has no columns "Amount", "Day", "Note", "Rate", which sale needs',
      'It has "5", "2007-05-26", "ok", "1". ',
    ],
    [
      'an empty line first',
      `\n${head}`,
      'sales.csv has an empty line where its header should be',
      'It needs the columns "Amount", "Day", ',
    ],
    ['a space too many', 'Amount,Day, Note,Rate\n', 'sales.csv has no column "Note", which sale needs', 'The closest there: " Note". '],
    [
      'another delimiter',
      'Amount;Day;Note;Rate\n',
      /^sales.csv has no columns "Amount", "Day", /,
      'Its header is one column, "Amount;Day;Note;Rate": perhaps',
    ],
    ['a name twice', 'Amount,Day,Note,Rate,Day\n', 'sales.csv has two columns "Day", and sale needs one', 'Rename one of them'],
    ['an empty file', '', 'sales.csv is empty', 'It needs at least a header: Amount,Day,Note,Rate.'],
    ['nothing but a byte order mark', '\ufeff', 'sales.csv is empty', 'It needs at least a header'],
  ])('with %s is a problem that names what is not there, and what is like it', async (_, file, what, todo) => {
    const problem = {
      name: 'Problem',
      what: typeof what === 'string' ? what : expect.stringMatching(what),
      todo: expect.stringContaining(todo),
    }
    await expect(batchesOf(file)).rejects.toMatchObject({ ...problem, exitCode: 1 })
    await expect(batchesOf(file, { cuts: [1] })).rejects.toMatchObject(problem)
  })

  it('may have its columns in any order, and others beside them, whatever these hold', async () => {
    const content = Buffer.concat([
      Buffer.from('Rate,x,Note,x,Amount,Day\n1,"a ""b"",\nc",ok,,5,2007-05-26\n2,'),
      Buffer.of(0xff, 0xe2),
      Buffer.from(',é,"",6,2007-05-27\n3,"a"b,é,,7,2007-05-28\n4,x,ok,7,2007-05-28\n'),
    ])
    for (const cuts of [[], [1], [7]]) {
      const { rows, rejects } = await read(content, { cuts })
      expect(rows).toEqual([
        [1, 5, '2007-05-26', 'ok', 1],
        [2, 6, '2007-05-27', 'é', 2],
      ])
      expect(rejects.map(({ seq, line, column, reason }) => [seq, line, column, reason])).toEqual([
        [3, 5, 'x', 'text after the closing quote'],
        [4, 6, 'Day', '5 cells where 6 are expected'],
      ])
    }
  })

  it('two texts that are no UTF-8 are none either when they would be one behind the other', async () => {
    const two = record('two', 'day', { a: text({ bytes: 9 }), b: text({ bytes: 9 }), day: date({ nullable: false }) })
    const content = Buffer.concat([
      Buffer.from('a,x,b,day\n'),
      Buffer.of(0xc3),
      Buffer.from(',\xff,'),
      Buffer.of(0xa9),
      Buffer.from(',2007-05-26\n'),
    ])
    expect((await read(content, { schema: two })).rejects[0]).toMatchObject({ column: 'a', reason: 'bytes that are not UTF-8' })
  })

  it('of a time before a nullable field may lack it, where that is said', async () => {
    const content = 'Amount,Day,Note\n5,2007-05-26,ok\n'
    expect((await read(content, { mayLack: true })).rows).toEqual([[1, 5, '2007-05-26', 'ok', null]])
    await expect(batchesOf('Day,Note,Rate\n', { mayLack: true })).rejects.toMatchObject({
      what: 'sales.csv has no column "Amount", which sale needs',
    })
  })

  it('may have any length up to its problem', async () => {
    await expect(batchesOf('x'.repeat(3 << 20))).rejects.toMatchObject({ name: 'Problem', todo: expect.stringContaining('x…"') })
  })
})

describe('records of uncommon size', () => {
  const filler = `${good}\n`.repeat(70_000)

  it('an open quote in a large file costs one line, not the file', async () => {
    const { rows, rejects } = await read(`${head}5,2007-05-26,"open,1\r\n${filler}`, { cuts: [100_000] })
    expect(rejects.map(short)).toEqual([[1, 2, 'Note', 'longer than 1 MiB', '5,2007-05-26,"open,1', 0]])
    expect(rows.length).toBe(70_000)
    expect(rows.at(-1)![0]).toBe(70_001)
  })

  it('a line longer than 1 MiB is rejected, its text cut, and the next line read', async () => {
    const { rows, rejects } = await read(`${head}5,2007-05-26,${'é'.repeat(1 << 20)},1\n${good}\n`, { cuts: [65_536] })
    expect(rejects.map(({ text, ...rest }) => [rest.line, rest.column, rest.reason, text.length])).toEqual([
      [2, 'Note', 'longer than 1 MiB', 10_000],
    ])
    expect(rows).toEqual([[2, 5, '2007-05-26', 'ok', 1]])
  })

  it('a record of exactly 1 MiB is taken', async () => {
    const frame = '5,2007-05-26,"",1'
    const note = `x\n${'x'.repeat((1 << 20) - frame.length - 2)}`
    for (const end of ['\n', '\r\n', '']) {
      expect((await read(`${head}5,2007-05-26,"${note}",1${end}`)).rows).toEqual([[1, 5, '2007-05-26', note, 1]])
      expect((await read(`${head}5,2007-05-26,"${note}y",1${end}`)).rejects[0]).toMatchObject({
        reason: 'longer than 1 MiB',
        text: '5,2007-05-26,"x',
      })
    }
  })

  it('half a surrogate pair is never left at the end of a cut text', async () => {
    const { rejects } = await read(`${head}x${'💍'.repeat(6_000)}\n`)
    expect(rejects[0]!.text).toBe(`x${'💍'.repeat(4_999)}`)
  })

  it('a long record in tiny chunks is not read again for each of them', async () => {
    const note = 'x\n'.repeat(500_000)
    expect((await read(`${head}5,2007-05-26,"${note}",1\n`, { cuts: [20] })).rows).toEqual([[1, 5, '2007-05-26', note, 1]])
  })

  it('a file in which no record ever ends is read to its end in one go', async () => {
    // Every line leaves a quote open, read from its start or read on from the line before.
    const lines = 300_000
    const { rows, rejects } = await read(`${head}${'a","b\n'.repeat(lines)}`, { cuts: [50_000] })
    expect(rows).toEqual([])
    expect(rejects.length).toBe(lines)
    expect(rejects[0]).toMatchObject({ seq: 1, line: 2, reason: 'longer than 1 MiB' })
    expect(rejects.at(-1)).toMatchObject({ seq: lines, line: lines + 1, reason: 'the quote is never closed' })
  })
})

describe('batches', () => {
  it('hold so many rows each, and the rejects among them', async () => {
    const batches = await batchesOf(`${head}${`${good}\n`.repeat(3)}bad\n${`${good}\n`.repeat(2)}bad\n`, { rowsPerBatch: 2 })
    expect(
      batches.map(({ columns, rejects, lastSeq }) => [columns.count, rejects.map(({ seq, afterSeq }) => [seq, afterSeq]), lastSeq]),
    ).toEqual([
      [2, [], 2],
      [2, [[4, 3]], 5],
      [1, [[7, 6]], 7],
    ])
  })

  it('stay as they were while the next ones are read', async () => {
    const lines = Array.from({ length: 20_000 }, (_, row) => `${row},2007-05-26,"note ""${row}"" ä",${row / 8}\n`)
    const bytes = Buffer.from(head + lines.join(''))
    const seen: Row[] = []
    const kept: CsvBatch[] = []
    for await (const batch of readCsv(sale, cutInto(bytes, [9_999]), { place: 'x', rowsPerBatch: 1_000 })) {
      seen.push(...rowsOf(batch))
      kept.push(batch)
    }
    expect(kept.length).toBe(20)
    expect(kept.flatMap(rowsOf)).toEqual(seen)
    expect(seen).toEqual(lines.map((_, row) => [row + 1, row, '2007-05-26', `note "${row}" ä`, row / 8]))
  })

  it('are cut where their texts become large', async () => {
    const note = 'x'.repeat(1 << 19)
    const batches = await batchesOf(`${head}${`5,2007-05-26,${note},1\n`.repeat(40)}`)
    expect(batches.map(({ columns }) => columns.count)).toEqual([16, 16, 8])
    expect(batches.flatMap(rowsOf).every((row) => row[3] === note)).toBe(true)
  })

  it('are cut where their rejects become large', async () => {
    const batches = await batchesOf(`${head}${`${'x'.repeat(10_000)}\n`.repeat(1_000)}`)
    expect(batches.map(({ rejects, lastSeq }) => [rejects.length, lastSeq])).toEqual([
      [839, 839],
      [161, 1_000],
    ])
  })

  it('leave the source when they are no longer wanted', async () => {
    let left = false
    const chunks = async function* () {
      try {
        for (;;) yield Buffer.from(`${head}${good}\n${good}\n`)
      } finally {
        left = true
      }
    }
    for await (const batch of readCsv(sale, chunks(), { place: 'x', rowsPerBatch: 1 })) {
      expect(batch.columns.count).toBe(1)
      break
    }
    expect(left).toBe(true)
  })
})

const scraps = [
  '"',
  '"',
  '""',
  ',',
  ',',
  '\n',
  '\n',
  '\r\n',
  '\r',
  ' ',
  'é',
  '💍',
  'NULL',
  '0',
  '-1.5',
  '12e3',
  '1e999',
  '7.',
  '2008-02-29',
  '2007-02-29',
  '2007-05-26',
  '1900-12-31',
  '1901-01-01',
  'x',
  '\xff',
  '\xe2\x82',
]
const latin1 = (scrap: string) =>
  Buffer.from(scrap.startsWith('\xff') || scrap.startsWith('\xe2') ? scrap : Buffer.from(scrap).toString('latin1'), 'latin1')
const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`

const numberCell = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.tuple(fc.integer(), fc.nat(9999)).map(([a, b]) => `${a}.${b}`),
)
const dateCell = fc.oneof(
  fc.integer({ min: -719_162, max: 2_932_896 }).map(isoDay),
  fc.constantFrom('2000-02-29', '1900-02-29', '2007-05-26'),
)
const noteCell = fc
  .array(fc.constantFrom('a', ' ', 'é', '💍', '"', ',', '\n', '\r\n', '\r', '€'), { maxLength: 8 })
  .map((parts) => parts.join(''))
const maybeQuoted = (cell: fc.Arbitrary<string>) =>
  fc.tuple(cell, fc.boolean()).map(([value, wrap]) => (wrap || /[",\r\n]/.test(value) ? quoted(value) : value))
const lineEnd = fc.constantFrom('\n', '\n', '\r\n')
const validRow = fc
  .tuple(maybeQuoted(numberCell), maybeQuoted(dateCell), maybeQuoted(noteCell), maybeQuoted(fc.oneof(numberCell, fc.constant(''))), lineEnd)
  .map(([amount, day, note, rate, end]) => Buffer.from(`${amount},${day},${note},${rate}${end}`))
/** A valid row with something put in somewhere, or cut out. */
const spoiltRow = fc
  .tuple(validRow, fc.nat(60), fc.nat(3), fc.constantFrom(...scraps).map(latin1))
  .map(([row, place, cut, scrap]) => Buffer.concat([row.subarray(0, place), scrap, row.subarray(place + cut)]))
const noise = fc.array(fc.constantFrom(...scraps).map(latin1), { maxLength: 12 }).map((parts) => Buffer.concat(parts))
/** Lines that each leave a quote open, read from their start or read on from the line before. */
const chain = fc
  .tuple(fc.constantFrom('a","b\n', 'a","b\r\n', '1,2007-05-26,x","b\n'), fc.integer({ min: 1, max: 30 }))
  .map(([line, times]) => Buffer.from(line.repeat(times)))
const blank = fc.constantFrom('\n', '\r\n').map((end) => Buffer.from(end))
const file = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 5, arbitrary: validRow },
        { weight: 4, arbitrary: spoiltRow },
        { weight: 2, arbitrary: noise },
        { weight: 1, arbitrary: chain },
        { weight: 1, arbitrary: blank },
      ),
      { maxLength: 12 },
    ),
    noise,
  )
  .map(([parts, tail]) => Buffer.concat([Buffer.from(head), ...parts, tail]))
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
const limit = fc.oneof(fc.integer({ min: 4, max: 120 }), fc.constant(100_000))

describe('the reader', () => {
  it('equals a plain reader, character by character, however the chunks are cut', async () => {
    await fc.assert(
      fc.asyncProperty(file, cuts, limit, fc.integer({ min: 1, max: 5 }), async (bytes, cuts, recordBytes, rowsPerBatch) => {
        // A header longer than the limit would be refused.
        const limit = Math.max(recordBytes, head.length)
        const expected = plainRead(brief, bytes, limit)
        const found = await read(bytes, { cuts, rowsPerBatch, recordBytes: limit, schema: brief })
        expect(found.rows).toEqual(expected.rows)
        expect(found.rejects.map(short)).toEqual(expected.rejects)
        expect(found.lastSeq).toBe(expected.rows.length + expected.rejects.length)
      }),
      { numRuns: 3000 },
    )
  })

  it('gives the same batches for any cut of the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(file, cuts, limit, async (bytes, cuts, recordBytes) => {
        const options = { rowsPerBatch: 2, recordBytes: Math.max(recordBytes, head.length), schema: brief }
        expect(await batchesOf(bytes, { ...options, cuts })).toEqual(await batchesOf(bytes, options))
      }),
      { numRuns: 1000 },
    )
  })

  it('equals the plain reader on a file much longer than its buffers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          file.map((bytes) => bytes.subarray(head.length)),
          { minLength: 20, maxLength: 30 },
        ),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 }),
        async (parts, cuts) => {
          const part = Buffer.concat(parts)
          const bytes = Buffer.concat([Buffer.from(head), ...Array<Buffer>(Math.ceil(200_000 / (part.length + 1))).fill(part)])
          const expected = plainRead(brief, bytes, 500)
          const found = await read(bytes, { cuts, recordBytes: 500, schema: brief })
          expect(found.rows).toEqual(expected.rows)
          expect(found.rejects.map(short)).toEqual(expected.rejects)
        },
      ),
      { numRuns: 10 },
    )
  })
})
