/** Sources and rejects with real files: what is read, what tells one file from another, and every way a file can disappoint. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { readCsv, type CsvBatch } from '../schemas/csv/read.ts'
import { record, text } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'
import { fileSource } from '../utilities/files/source.ts'
import { rejectsFile, type Reject } from '../utilities/files/rejects.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-source-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folder = root
beforeEach(() => {
  folder = mkdtempSync(join(root, 'test-'))
})

const put = (name: string, ...parts: readonly (string | Uint8Array)[]): string => {
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))))
  return path
}

const textOf = async (path: string): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of fileSource(path).read()) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
  const outcome = await work.then(
    () => 'no problem',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(Problem)
  return outcome as Problem
}

/** Text that hardly packs, so that its gzip has many chunks. */
const noise = (bytes: number): Buffer => {
  const blocks: Buffer[] = []
  for (let block = 0; block * 32 < bytes; block++) blocks.push(createHash('sha256').update(`${block}`).digest())
  return Buffer.concat(blocks).subarray(0, bytes)
}

describe('a file source', () => {
  const content = 'a,b\n1,2\n'

  it('reads plain text and gzip alike, told apart by what is in them', async () => {
    expect(await textOf(put('plain.csv', content))).toBe(content)
    expect(await textOf(put('packed.csv.gz', gzipSync(content)))).toBe(content)
    expect(await textOf(put('packed-without-the-name.csv', gzipSync(content)))).toBe(content)
    expect(await textOf(put('empty.csv'))).toBe('')
    const long = noise(2_000_000).toString('hex')
    expect((await textOf(put('long.csv.gz', gzipSync(long)))) === long).toBe(true)
  })

  it('reads every member of a gzip file, and past zeros that pad it', async () => {
    const path = put('two.csv.gz', gzipSync(content), gzipSync('3,4\n'), new Uint8Array(1000))
    expect(await textOf(path)).toBe(`${content}3,4\n`)
    expect((await fileSource(path).identify()).size).toBe(readFileSync(path).length)
  })

  it('is known by its name, its stored bytes and their checksum, wherever it lies', async () => {
    const packed = gzipSync(noise(900_000))
    const sha256 = createHash('sha256').update(packed).digest('hex')
    const one = put('same.csv.gz', packed)
    mkdirSync(join(folder, 'elsewhere'))
    const other = put('elsewhere/same.csv.gz', packed)
    expect(await fileSource(one).identify()).toEqual({ name: 'same.csv.gz', size: packed.length, sha256 })
    expect(await fileSource(other).identify()).toEqual(await fileSource(one).identify())
    expect((await fileSource(put('padded.csv.gz', packed, new Uint8Array(700_000))).identify()).size).toBe(packed.length + 700_000)
    expect(await fileSource(put('plain.csv', 'abc')).identify()).toEqual({
      name: 'plain.csv',
      size: 3,
      sha256: createHash('sha256').update('abc').digest('hex'),
    })
  })

  const packed = gzipSync(noise(900_000))
  const flipped = Buffer.from(packed)
  flipped[500_000]! ^= 0xff
  const troubles: readonly (readonly [says: string, file: () => string, what: string, todo: string])[] = [
    ['a missing file', () => join(folder, 'missing.csv'), 'there is no file FILE', 'Check the path'],
    ['a path through a file', () => join(put('file', ''), 'x.csv'), 'there is no file FILE', 'Check the path'],
    ['a folder', () => folder, 'FILE is a folder, not a file', 'Name the file in it.'],
    ['plain text called .gz', () => put('plain.csv.gz', content), 'FILE is not gzip, though its name says so', 'Fetch it again'],
    ['an empty file called .gz', () => put('empty.csv.gz'), 'FILE is empty, though its name says gzip', 'Fetch it again.'],
    [
      'gzip cut short',
      () => put('cut.csv.gz', packed.subarray(0, 600_000)),
      'FILE is cut short: it ends in the middle of the gzip data',
      'Fetch it again.',
    ],
    [
      'gzip cut in its last bytes',
      () => put('cut.csv.gz', gzipSync(content).subarray(0, -1)),
      'FILE is cut short: it ends in the middle of the gzip data',
      'Fetch it again.',
    ],
    [
      'a second member cut to a byte',
      () => put('cut.csv.gz', gzipSync(content), packed.subarray(0, 1)),
      'FILE is cut short: it ends in the middle of the gzip data',
      'Fetch it again.',
    ],
    ['a byte gone wrong', () => put('flipped.csv.gz', flipped), 'FILE is damaged: it does not unpack', 'Fetch it again.'],
    [
      'something else behind the gzip',
      () => put('tail.csv.gz', gzipSync(content), 'oops'),
      'FILE is damaged: it does not unpack',
      'Fetch it again.',
    ],
    [
      'a member behind a hole',
      () => put('hole.csv.gz', gzipSync(content), new Uint8Array(8), gzipSync(content)),
      'FILE is damaged: it does not unpack',
      'Fetch it again.',
    ],
  ]
  it.each(troubles)('%s is a problem to prove and to read', async (_, file, what, todo) => {
    const path = file()
    for (const work of [() => fileSource(path).prove(), () => textOf(path)]) {
      const problem = await problemOf(work())
      expect(problem.what).toBe(what.replace('FILE', path))
      expect(problem.todo).toContain(todo)
      expect(problem.message).not.toContain('\n')
    }
  })

  it('a file that may not be read is a problem', () => {
    const path = put('secret.csv', content)
    chmodSync(path, 0o000)
    // Root may read everything, so it becomes somebody else before it tries.
    const script = `import { fileSource } from ${JSON.stringify(join(import.meta.dirname, '../utilities/files/source.ts'))}
      if (process.getuid() === 0) process.seteuid(65534)
      await fileSource(${JSON.stringify(path)}).prove().catch((error) => console.log(error.name, error.message))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
    expect(stdout).toBe(`Problem ${path} may not be read. Change its permissions, or run as a user who may read it.\n`)
  })

  const openFiles = () => readdirSync('/proc/self/fd').length
  it.skipIf(!existsSync('/proc/self/fd'))('lets go of its file when the reader leaves early', async () => {
    const path = put('long.csv.gz', gzipSync(noise(3_000_000)))
    const before = openFiles()
    for (let round = 0; round < 20; round++) for await (const chunk of fileSource(path).read()) if (chunk.length > 0) break
    await expect.poll(openFiles).toBeLessThan(before + 10)
  })

  it.each(['long.csv', 'long.csv.gz'])('an aborted read of %s throws the reason and never just ends', async (name) => {
    const bytes = noise(3_000_000)
    const path = put(name, name.endsWith('.gz') ? gzipSync(bytes) : bytes)
    const stop = new AbortController()
    const reason = new Error('enough')
    let chunks = 0
    const reading = (async () => {
      for await (const chunk of fileSource(path).read(stop.signal)) if (chunk.length > 0 && ++chunks === 1) stop.abort(reason)
    })()
    await expect(reading).rejects.toBe(reason)
    expect(chunks).toBeLessThan(bytes.length / 65_536)
    await expect(fileSource(path).identify(stop.signal)).rejects.toBe(reason)
  })

  it.each(['grows.csv', 'grows.csv.gz'])('gives the bytes that were identified, however %s grows meanwhile', async (name) => {
    const text = (rows: string) => (name.endsWith('.gz') ? gzipSync(rows) : Buffer.from(rows))
    const path = put(name, text(content))
    const source = fileSource(path)
    const identity = await source.identify()
    appendFileSync(path, text('3,4\n'))
    const chunks: Uint8Array[] = []
    for await (const chunk of source.read()) chunks.push(Buffer.from(chunk))
    expect(Buffer.concat(chunks).toString()).toBe(content)
    await source.prove()
    const grown = fileSource(path)
    expect(await grown.asOf(identity).identify()).toEqual(identity)
    expect((await grown.identify()).size).toBeGreaterThan(identity.size)
    expect(await textOf(path)).toBe(`${content}3,4\n`)
  })

  it('that is cut short after it was identified is a problem', async () => {
    const path = put('shrinks.csv', content)
    const source = fileSource(path)
    await source.identify()
    writeFileSync(path, 'a,b\n')
    const reading = (async () => {
      for await (const _ of source.read()) continue
    })()
    expect((await problemOf(reading)).what).toBe(`${path} was cut short while it was being read`)
  })

  it('a pipe or a device is refused at once, since it cannot be read twice', async () => {
    const path = join(folder, 'pipe.csv')
    spawnSync('mkfifo', [path])
    for (const one of [path, '/dev/zero']) {
      const refusal = {
        what: `${one} is not a file but a pipe or a device, which cannot be read twice`,
        todo: 'Give it on standard input, with --file -; or write what comes out of it to a file, and name that.',
      }
      for (const work of [() => fileSource(one).identify(), () => textOf(one)]) expect(await problemOf(work())).toMatchObject(refusal)
    }
  })

  it('a name that holds control characters is shown with them written out', async () => {
    expect((await problemOf(textOf(join(folder, 'a\x1b[2J\n\u202eb.csv')))).what).toBe(
      `there is no file ${folder}/a\\x1b[2J\\x0a\\u202eb.csv`,
    )
  })

  it('a problem of the file reaches the reader of its rows', async () => {
    const lines = record('line', 'a', { a: text('a', { bytes: 100 }) })
    const rows = Buffer.from(`a\n${'some text\n'.repeat(200_000)}`)
    const path = put('rows.csv.gz', gzipSync(rows, { level: constants.Z_NO_COMPRESSION }).subarray(0, 1_500_000))
    const batches: CsvBatch[] = []
    const problem = await problemOf(
      (async () => {
        for await (const batch of readCsv(lines, fileSource(path).read(), { place: path })) batches.push(batch)
      })(),
    )
    expect(problem.what).toBe(`${path} is cut short: it ends in the middle of the gzip data`)
    expect(batches.length).toBeGreaterThan(0)
  })
})

const reject = (seq: number, more: Partial<Reject> = {}): Reject => ({
  seq,
  line: seq + 1,
  column: 'Amount',
  reason: 'not a number',
  text: 'x,y',
  afterSeq: seq - 1,
  ...more,
})

describe('a rejects file', () => {
  const all = () => true

  it('is a CSV of its own, with everything quoted that must be', async () => {
    const path = join(folder, 'rejects.csv')
    const file = rejectsFile(path)
    expect(await file.keep(all)).toBe(0)
    await file.append([])
    expect(existsSync(path)).toBe(false)
    await file.append([reject(1), reject(3, { text: 'plain', column: 'Debt, "total"' })])
    await file.append([reject(7, { text: 'two\r\nlines, "quoted"' })])
    expect(readFileSync(path, 'utf8')).toBe(
      'seq,line,column,reason,text\n1,2,Amount,not a number,"x,y"\n3,4,"Debt, ""total""",not a number,plain\n7,8,Amount,not a ' +
        'number,"two\r\nlines, ""quoted"""\n',
    )
  })

  it('drops what is not to be kept, and nothing else', async () => {
    const path = join(folder, 'rejects.csv')
    const texts = ['one', 'two\n2,not an entry\n', '"three"', ',4', '']
    await rejectsFile(path).append(texts.map((text, index) => reject(index + 1, { text })))
    expect(await rejectsFile(path).keep((seq) => seq !== 3 && seq < 5)).toBe(3)
    const expected = join(folder, 'expected.csv')
    await rejectsFile(expected).append([0, 1, 3].map((index) => reject(index + 1, { text: texts[index]! })))
    expect(readFileSync(path, 'utf8')).toBe(readFileSync(expected, 'utf8'))
    expect(readdirSync(folder).sort()).toEqual(['expected.csv', 'rejects.csv'])
  })

  it('mends itself wherever a kill has cut it off', async () => {
    const whole = join(folder, 'whole.csv')
    await rejectsFile(whole).append([reject(1, { text: 'a\nb' }), reject(2, { text: '"é"' })])
    const bytes = readFileSync(whole)
    const header = bytes.indexOf(10) + 1
    const first = bytes.indexOf('2,3,')
    for (let length = 0; length <= bytes.length; length++) {
      const path = put('cut.csv', bytes.subarray(0, length))
      const kept = await rejectsFile(path).keep(all)
      expect(kept).toBe(length === bytes.length ? 2 : length >= first ? 1 : 0)
      await rejectsFile(path).append([reject(9)])
      const before = bytes.subarray(0, kept === 2 ? bytes.length : kept === 1 ? first : header)
      const expected = `${before.toString()}9,10,Amount,not a number,"x,y"\n`
      expect(readFileSync(path, 'utf8')).toBe(expected)
    }
  })

  it('is kept when it is larger than what is read at once', async () => {
    const path = join(folder, 'rejects.csv')
    const many = Array.from({ length: 3_000 }, (_, index) => reject(index + 1, { text: `"${'long, "text"\n'.repeat(index % 20)}` }))
    await rejectsFile(path).append(many)
    expect(await rejectsFile(path).keep((seq) => seq % 3 > 0)).toBe(2_000)
    const expected = join(folder, 'expected.csv')
    await rejectsFile(expected).append(many.filter(({ seq }) => seq % 3 > 0))
    expect(readFileSync(path).equals(readFileSync(expected))).toBe(true)
  })

  it('never touches a file that is something else', async () => {
    const path = put('notes.csv', 'seq,line\nmine\n')
    expect((await problemOf(rejectsFile(path).keep(all))).what).toBe(
      `${path} is not a rejects file: its first line is not seq,line,column,reason,text`,
    )
    expect((await problemOf(rejectsFile(path).append([reject(1)]))).what).toContain('is not a rejects file')
    expect(readFileSync(path, 'utf8')).toBe('seq,line\nmine\n')
  })

  it('a place that cannot be written to is a problem', async () => {
    expect((await problemOf(rejectsFile(join(folder, 'no', 'rejects.csv')).append([reject(1)]))).what).toBe(
      `cannot write the rejects file ${folder}/no/rejects.csv: there is no folder ${folder}/no`,
    )
    expect((await problemOf(rejectsFile(folder).append([reject(1)]))).what).toBe(`cannot write the rejects file ${folder}: it is a folder`)
    expect((await problemOf(rejectsFile(folder).keep(all))).what).toBe(`cannot write the rejects file ${folder}: it is a folder`)
    appendFileSync(join(folder, 'file'), '')
    await problemOf(rejectsFile(join(folder, 'file', 'rejects.csv')).append([reject(1)]))
  })
})
