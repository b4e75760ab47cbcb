/** The map in CONTRIBUTING.md, enforced: imports point one way and never back, each package has one door, and files stay small. */
import { describe, expect, it } from 'vitest'
import { offendersAmong } from './house/import-map.ts'
import { cycleIn, importsOf, sourcesIn } from './house/sources.ts'

const sources = sourcesIn()
const imports = sources.flatMap(importsOf)
const opened = sources.filter(({ file }) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
const program = opened.filter(({ file }) => !/^(test|bench)\//.test(file))

const filesOf = (some: typeof sources) => some.map(({ file }) => file)
/** The offenders if this were in that file. */
const offenders = (file: string, text: string) => offendersAmong([...imports, ...importsOf({ file, text })])

describe('the house', () => {
  it('has imports that point one way, adapters that only two files of config pick, and one door for each package', () =>
    expect(offendersAmong(imports)).toEqual([]))

  it('has no file that imports itself by way of others', () => expect(cycleIn(imports)).toBeUndefined())

  it('has no drawer for odds and ends', () =>
    expect(filesOf(opened).filter((file) => /\/(utils?|helpers?|common|misc|shared|types)\.ts$/.test(file))).toEqual([]))

  it('opens every file with a sentence saying what it is', () =>
    expect(filesOf(opened.filter(({ text }) => !text.startsWith('/**')))).toEqual([]))

  it('has use cases that know no terminal, no process and no words typed', () =>
    expect(
      filesOf(program.filter(({ file, text }) => file.startsWith('use-cases/') && /\bconsole\b|\bprocess\.|\bargv\b/.test(text))),
    ).toEqual([]))

  it('prints values as they are, without calling them something else first', () =>
    expect(filesOf(program.filter(({ text }) => /\bas unknown as \S*Json\b/.test(text)))).toEqual([]))

  it('keeps every file short enough to read in one sitting', () =>
    expect(filesOf(program.filter(({ text }) => text.split('\n').length > 250))).toEqual([]))
})

describe('the map names', () => {
  it.each([
    [
      'a room that reaches up',
      'schemas/record.ts',
      `import type { Batch } from '../batch/work.ts'`,
      'batch/work.ts: schemas may not import batch',
    ],
    [
      'a stage that imports another',
      'sink/sink.ts',
      `const { produce } = await import('../producer/produce.ts')`,
      'producer/produce.ts: sink may not import producer',
    ],
    [
      'a type by import()',
      'utilities/log.ts',
      `type Set = import('../feature-defs/feature-set.ts').FeatureSet`,
      'feature-defs/feature-set.ts: utilities may not import feature-defs',
    ],
    [
      'a test in the program',
      'commands/demo.ts',
      `import { table } from '../test/table.ts'`,
      'test/table.ts: commands may not import test',
    ],
    [
      'the file at the root',
      'cli.ts',
      `import { generated } from './test/loan-folders.ts'`,
      'test/loan-folders.ts: cli.ts may not import test',
    ],
    ['the starter', 'tidemark.js', `await import('./commands/demo.ts')`, 'commands/demo.ts: tidemark.js may not import commands'],
    ['a benchmark that wants the command line', 'bench/run.ts', `import '../cli.ts'`, 'cli.ts: bench may not import cli.ts'],
    [
      'a room that nobody drew',
      'lake/read.ts',
      `import { Problem } from '../utilities/values/problem.ts'`,
      'utilities/values/problem.ts: lake is not on the map',
    ],
    [
      'an adapter',
      'versions/plan.ts',
      `const { openKafkaLog } = await import('../utilities/kafka/log.ts')`,
      'utilities/kafka/log.ts: only config/wire.ts and config/files.ts pick adapters',
    ],
    [
      'a technology that is no server',
      'commands/doctor.ts',
      `import { openSqlite } from '../utilities/sqlite/database.ts'`,
      'utilities/sqlite/database.ts: only config/wire.ts and config/files.ts pick adapters',
    ],
    [
      'what reaches beyond the process beside those rooms',
      'commands/status.ts',
      `import { openThread } from '../utilities/running/thread.ts'`,
      'utilities/running/thread.ts: only config/wire.ts and config/files.ts pick adapters',
    ],
    [
      'a package that came in by the window',
      'config/wire.ts',
      `import type { Kafka } from 'kafkajs'`,
      'kafkajs: the door is utilities/kafka/client/client.ts',
    ],
    ['a package without a door', 'schemas/csv/read.ts', `const parse = require('csv-parse/sync')`, 'csv-parse: the package has no door'],
    ['what only a run can tell', 'commands/up.ts', 'await import(`./${name}.ts`)', 'computed: commands may not import computed'],
  ])('%s', (_, file, text, named) => expect(offenders(file, text)).toEqual([`${file} → ${named}`]))

  it('a cycle with all that lie on it, whether a value, a type or a dynamic import closes it', () => {
    const [a, b, c] = [`import { b } from './b.ts'`, `import type { C } from './c.ts'`, `const { a } = await import('./a.ts')`]
    const of = (...texts: readonly string[]) => texts.flatMap((text, i) => importsOf({ file: `sink/${'abc'[i]}.ts`, text }))
    expect(cycleIn(of(a, b, c))).toEqual(['sink/a.ts', 'sink/b.ts', 'sink/c.ts', 'sink/a.ts'])
    expect(cycleIn(of(a, b))).toBeUndefined()
  })
})
