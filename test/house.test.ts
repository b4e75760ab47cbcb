/** The checks of the gate that are our own fail where they must: long lines, and tests that are not of the kind they are taken for. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { kindsOf } from './house/kinds.ts'
import { longLinesIn, wrapped } from './house/long-lines.ts'
import { sourcesIn } from './house/sources.ts'

const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i}`).join(' ')

describe('a line that is too long', () => {
  it.each([
    ['a comment', `// ${words(30)}`],
    ['a text', `  const what = '${words(30)}'`],
    ['a template over several lines', `SELECT ${words(30)}`],
  ])('is named when it is %s', (_, line) =>
    expect(longLinesIn({ file: 'sink/sink.ts', text: `\n${line}` })).toEqual([`sink/sink.ts:2 has ${line.length} characters`]),
  )

  it.each([
    ['the title of a test', `  it('${words(30)}', () => {`],
    ['a regular expression', `    /^${words(30)}$/,`],
  ])('is left whole when it is %s', (_, line) => expect(longLinesIn({ file: 'test/x.test.ts', text: line })).toEqual([]))

  it('is wrapped when it is a comment, and flows into the lines below it', () => {
    const text = [
      `  /** ${words(40)} */`,
      '  one: 1',
      `  // ${words(19)} ${'x'.repeat(20)}`,
      '  // and this',
      '',
      '  /** Two. */ two: 2',
    ].join('\n')
    const lines = wrapped(text).split('\n')
    expect(longLinesIn({ file: 'x.ts', text: lines.join('\n') })).toEqual([])
    expect(lines.filter((line) => !/word/.test(line))).toEqual([
      '  /**',
      '   */',
      '  one: 1',
      `  // ${'x'.repeat(20)} and this`,
      '',
      '  /** Two. */',
      '  two: 2',
    ])
    expect(lines.join(' ').match(/word\d+/g)).toEqual([...words(40).split(' '), ...words(19).split(' ')])
    expect(wrapped(lines.join('\n'))).toBe(lines.join('\n'))
  })
})

describe('a test', () => {
  it.each([
    ['imports what starts a process', `import { spawn } from 'node:child_process'`],
    ['imports somebody who does', `import { done } from './cli-run.ts'`],
    ['imports somebody who does, when it comes to it', `const { startKafka } = await import('./kafka/broker.ts')`],
  ])('is no unit test when it %s', (_, text) => {
    const { unit, whole } = kindsOf([...sourcesIn(), { file: 'test/new.test.ts', text }])
    expect([unit.includes('test/new.test.ts'), whole.includes('test/new.test.ts')]).toEqual([false, true])
  })

  it('is a unit test when nothing that it imports starts anything', () =>
    expect(kindsOf([...sourcesIn(), { file: 'test/new.test.ts', text: `import { table } from './table.ts'` }]).unit).toContain(
      'test/new.test.ts',
    ))

  it('that runs in memory cannot have the program start a process, a thread or a server', () => {
    const program = `import './test/house/in-memory.ts'
      import { fork } from 'node:child_process'
      import { createServer, connect } from 'node:net'
      import { Worker } from 'node:worker_threads'
      for (const start of [() => fork('x'), () => createServer().listen(0), () => connect(1), () => new Worker('x')]) {
        try { start(); console.log('started') } catch (error) { console.log(error.message.split(';')[0]) }
      }`
    const { stdout } = spawnSync('node_modules/.bin/node', ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(stdout.trim().split('\n')).toEqual(
      ['a process', 'a server', 'a connection', 'a thread'].map((what) => `a unit test started ${what}`),
    )
  })
})
