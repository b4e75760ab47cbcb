/** Every command: what it does, how to call it, and where it is. */
import type { Command } from './command.ts'
import { modeOptions } from './modes.ts'

const years = ['--years <years>', 'a year or a range, e.g. 2008 or 2008-2009'] as const
const file = ['--file <file>', 'the CSV, plain or gzip (default: source.file of the config)'] as const
const strict = ['--strict', 'stop at the first line that cannot be read'] as const
const carryOn = ['--continue', 'let another file continue the numbering of the ones before'] as const
const untilCaughtUp = ['--until-caught-up', 'stop at the end instead of waiting for more'] as const
const why = ['--why <text>', 'the reason, kept in tidemark_versions'] as const

export const commands: readonly Command[] = [
  {
    name: 'demo',
    summary: 'the whole loan story with no server, in a directory of its own',
    example: 'tidemark demo',
    options: [['--rows <n>', 'size of the generated loan file (default: 200000)']],
    load: () => import('./demo.ts'),
  },
  {
    name: 'generate',
    summary: 'make a look-alike of the loan file, the same for the same seed',
    example: 'tidemark generate --years 2007-2012 --out data/rejected.csv.gz',
    options: [years, ['--out <file>', 'where to write; gzip when it ends in .gz'], ['--rows <n>', 'rows in all (default: as many as the real file has)'], ['--seed <s>', 'another look-alike (default: 1)']],
    load: () => import('./generate.ts'),
  },
  {
    name: 'produce',
    summary: 'replay years of the loan file into inflow',
    example: 'tidemark produce --years 2008-2009',
    options: [years, file, ['--rate <n>', 'records a second (default: as fast as it goes)'], strict, carryOn],
    load: () => import('./produce.ts'),
  },
  {
    name: 'consume',
    summary: 'the always-on consumer: inflow to features to outflow',
    example: 'tidemark consume',
    options: [untilCaughtUp],
    onExisting: true,
    load: () => import('./consume.ts'),
  },
  {
    name: 'sink',
    summary: 'bring outflow to the warehouse',
    example: 'tidemark sink',
    options: [untilCaughtUp],
    onExisting: true,
    load: () => import('./sink.ts'),
  },
  {
    name: 'up',
    summary: 'consume and sink in one process',
    example: 'tidemark up',
    options: [untilCaughtUp],
    onExisting: true,
    load: () => import('./up.ts'),
  },
  {
    name: 'backfill',
    summary: 'batch: years of a file through the same engine into the warehouse',
    example: 'tidemark backfill --years 2007',
    options: [years, file, ['--features <set>', 'the feature set (default: the first that is not batch only)'], strict, carryOn, ['--undo', 'take back what an unfinished backfill wrote']],
    load: () => import('./backfill.ts'),
  },
  {
    name: 'plan',
    args: '[set@version]',
    summary: 'what applying a version would do; without one, the next of every set',
    example: 'tidemark plan loan_risk@1',
    options: [...modeOptions, ['--exit-code', 'exit 3 when something would change']],
    load: () => import('./plan.ts'),
  },
  {
    name: 'apply',
    args: '<set@version>',
    summary: 'release the next version of a feature set and hand over to it',
    example: 'tidemark apply loan_risk@1 --cold',
    options: [...modeOptions, why],
    load: () => import('./apply.ts'),
  },
  {
    name: 'promote',
    args: '<set@version>',
    summary: 'show a version to SQL users: one transaction, then the rows it lacks are filled',
    example: 'tidemark promote loan_risk@2 --max-changed 20% --max-nulls 1%',
    options: [['--max-changed <percent>', 'refuse if more rows of a feature changed'], ['--max-nulls <percent>', 'refuse if more rows of a feature lost their value'], why],
    onExisting: true,
    load: () => import('./promote.ts'),
  },
  {
    name: 'rollback',
    args: '<set>',
    summary: 'show the version before again',
    example: 'tidemark rollback loan_risk --why "ema50 too nervous"',
    options: [why],
    onExisting: true,
    load: () => import('./rollback.ts'),
  },
  {
    name: 'retire',
    args: '<set@version>',
    summary: 'drop a version that nobody sees any more: view, rows and state',
    example: 'tidemark retire loan_risk@0',
    options: [why],
    onExisting: true,
    load: () => import('./retire.ts'),
  },
  {
    name: 'diff',
    args: '<set@version> <other>',
    summary: 'compare two versions: definitions, and values where both exist',
    example: 'tidemark diff loan_risk@1 loan_risk@2',
    onExisting: true,
    load: () => import('./diff.ts'),
  },
  {
    name: 'versions',
    args: '[set]',
    summary: 'every version: its state, mode, switch, and what was done to it',
    example: 'tidemark versions loan_risk',
    onExisting: true,
    load: () => import('./versions.ts'),
  },
  {
    name: 'verify',
    args: '<set@version>',
    summary: 'replay a version and prove the warehouse equal to it, row by row',
    example: 'tidemark verify loan_risk@1',
    onExisting: true,
    load: () => import('./verify.ts'),
  },
  {
    name: 'query',
    args: '<sql>',
    summary: 'run a SELECT against the warehouse; works while everything runs',
    example: 'tidemark query "select application_date, risk_score, ma50 from loan_risk limit 5"',
    options: [['--format <format>', 'table, json or csv (default: table)']],
    onExisting: true,
    load: () => import('./query.ts'),
  },
  {
    name: 'status',
    summary: 'what is where: topics, lag, versions, dead letters',
    example: 'tidemark status',
    onExisting: true,
    load: () => import('./status.ts'),
  },
]
