/** `init`: what it guesses of a file, what it writes, that an editor knows the language there, and what it refuses. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { done, freshFolder, json, tidemark, type Printed } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'

const rows = (count: number, row: (i: number) => string) => Array.from({ length: count }, (_, i) => row(i)).join('\n') + '\n'

/** A folder with this file. */
function withFile(name: string, content: string | Buffer): string {
  const folder = freshFolder()
  writeFileSync(join(folder, name), content)
  return folder
}

const guessOf = async (folder: string, file: string): Promise<Printed> => {
  const { guessed, record }: Printed = await json(folder, `init --from ${file}`)
  const kinds = guessed.fields.map(({ name, guess }: Printed) => [name, guess.kind])
  return { guessed, record, kinds: Object.fromEntries(kinds) }
}

describe('a record guessed from a file', { timeout: limitMs }, () => {
  it('has a kind for each column, which a code of digits with a leading zero is not', async () => {
    const header = 'Id,When,Code,Ratio,Sum,Paid,Day,Text,Order,Leer'
    const row = (i: number) => {
      const cells = [2n ** 53n + BigInt(i), `2024-01-0${1 + (i % 9)} 10:00:0${i % 10}`, `0${i}`, `1e${i % 5}`, `${i}.5${i % 10}`]
      return [...cells, i % 2 === 0 ? 'Y' : 'n', `2024-02-1${i % 10}`, `x${i}`, i, ''].join()
    }
    const { guessed, record, kinds } = await guessOf(
      withFile('my invoices.csv', `${header}\n${rows(30, row)}`),
      '"my invoices.csv"'.slice(1, -1).replace(' ', '?'),
    )
    expect(record).toBe('my')
    expect(kinds).toEqual({
      id: 'integer',
      when_: 'timestamp',
      code: 'text',
      ratio: 'number',
      sum: 'decimal',
      paid: 'flag',
      day: 'date',
      text: 'text',
      order_: 'integer',
      leer: 'text',
    })
    expect(guessed).toMatchObject({ at: 'when_', rows: 30, form: {} })
    expect(guessed.fields[0].guess.doubts).toEqual(['some are beyond 2^53'])
    expect(guessed.fields[4].guess).toMatchObject({ digits: 7, scale: 2 })
    expect(guessed.fields[9].guess).toMatchObject({ nulls: 30, doubts: ['no value to go by'] })
  })

  it('knows the delimiter, the words for null, the form of dates, and columns without a name of their own', async () => {
    const row = (i: number) => [`${10 + (i % 15)}/02/2024`, i === 7 ? 'NULL' : i, 1, 2, 3, i === 3 ? 'N/A' : '29/02/2024'].join('|')
    const text = `When|Amount|a|a||Due\n${rows(40, row)}`
    const { guessed, kinds } = await guessOf(withFile('in.csv.gz', gzipSync(text)), 'in.csv.gz')
    expect(kinds).toEqual({ when_: 'date', amount: 'integer', due: 'date' })
    expect(guessed).toMatchObject({
      at: 'when_',
      left: ['a', 'a', ''],
      form: { delimiter: '|', null: ['', 'NULL', 'N/A'], dates: 'DD/MM/YYYY' },
    })
  })

  it('is one that the compiler knows the language of, and that is applied, produced and computed as it stands', async () => {
    const folder = withFile(
      'sales.csv',
      `day;amount;who\n${rows(50, (i) => `2024-03-${10 + (i % 20)};${i},5;w${i % 3}`.replace(',', '.'))}`,
    )
    const said = await done(folder, 'init --from sales.csv')
    expect(readdirSync(folder).toSorted()).toEqual(['definitions.ts', 'sales.csv', 'tidemark.json', 'tsconfig.json'])
    expect(execFileSync(resolve('node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' })).toBe('')
    const commands = [...said.matchAll(/^ {2}tidemark (\w.*)$/gm)].map(([, words]) => words!)
    expect(commands.length).toBe(4)
    for (const words of commands.slice(0, 3)) await done(folder, words)
    expect(await done(folder, 'verify sales_features@0')).toContain('50 rows computed again and equal')
    writeFileSync(
      join(folder, 'definitions.ts'),
      readFileSync(join(folder, 'definitions.ts'), 'utf8').replace("mean('amount'", "mean('who'"),
    )
    expect(() => execFileSync(resolve('node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8', stdio: 'pipe' })).toThrow()
  })
})

describe('init', { timeout: limitMs }, () => {
  it('writes over nothing, and says what is there', async () => {
    const folder = withFile('tsconfig.json', '{}')
    expect(await tidemark(folder, 'init')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^tidemark: tsconfig\.json is there already\. /),
    })
    expect(readdirSync(folder)).toEqual(['tsconfig.json'])
  })

  it.each([
    ['loans', 'loans@0', '500 rows'],
    ['invoices', 'account_invoices@0', 'rows'],
  ])('begins with an example, %s, whose commands work as they are said', async (example, version, rows) => {
    const folder = freshFolder()
    const said = await done(folder, `init --example ${example}`)
    expect(execFileSync(resolve('node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' })).toBe('')
    const commands = [...said.matchAll(/^ {2}tidemark (\w.*)$/gm)].map(([, words]) => words!)
    expect(commands.length).toBe(5)
    for (const words of commands.slice(0, 4)) await done(folder, words.replace('100000', '500'))
    expect(await done(folder, `verify ${version}`)).toContain(`${rows} computed again and equal`)
  })

  it.each([
    ['nothing.csv', undefined, 'there is no file nothing.csv'],
    ['empty.csv', '', 'empty.csv has no header'],
    ['header.csv', 'a,b\n', 'header.csv has a header and no row'],
    ['undated.csv', 'a,b\n1,2\n', 'undated.csv has no column that is a date or a timestamp in every row'],
    ['holes.csv', 'a,day\n1,\n2,2024-01-01\n', 'holes.csv has no column that is a date or a timestamp in every row'],
  ])('refuses %s in one line, and leaves nothing', async (name, content, why) => {
    const folder = freshFolder()
    if (content !== undefined) writeFileSync(join(folder, name), content)
    const { code, err } = await tidemark(folder, `init --from ${name}`)
    expect([code, err.split('\n').length]).toEqual([1, 2])
    expect(err).toContain(`tidemark: ${why}`)
    expect(readdirSync(folder)).toEqual(content === undefined ? [] : [name])
  })

  it('guesses no name that a record cannot have', async () => {
    for (const name of ['dead', 'orders_dead', 'order', 'inflow']) {
      const folder = withFile(`${name}.csv`, 'day,amount\n2024-01-01,1\n')
      const { set }: Printed = await json(folder, `init --from ${name}.csv`)
      await done(folder, `apply ${set}@0 --yes`)
    }
  })

  it('is not what the demo tells', async () => {
    const folder = freshFolder()
    await done(folder, 'init --example invoices')
    writeFileSync(
      join(folder, 'tidemark.json'),
      JSON.stringify({
        features: 'definitions.ts',
        streams: { sale_line: { partitions: 3 } },
        sources: { rejected_loan: { file: 'none.csv' } },
      }),
    )
    await done(folder, 'demo --rows 300')
  })

  it('is found by every command from where it was said, and not from elsewhere', async () => {
    const folder = freshFolder()
    await done(folder, 'init')
    expect(await done(folder, 'plan')).toContain('loans@0')
    mkdirSync(join(folder, 'below'))
    expect(await tidemark(join(folder, 'below'), 'plan')).toMatchObject({ out: expect.not.stringContaining('loans@0') })
  })
})
