/** Every command: what it does, how to call it, and where it is. */
import type { Command } from './command.ts'
import { modeOptions } from './modes.ts'
import { sourceOptions, yearsText } from './source-options.ts'

const strict = ['--strict', 'stop at the first line that cannot be read'] as const
const carryOn = ['--continue', 'let another file continue the numbering of the ones before'] as const
const record = ['--record <name>', 'whose stream, where the definitions have several records'] as const
const definitionsFile = ['--features <file>', 'the definitions file (default: features of the config)'] as const
const untilCaughtUp = ['--until-caught-up', 'stop at the end instead of waiting for more'] as const
const fileOptions = [
  ['--format <format>', 'of the files: parquet or csv (default: parquet)'],
  ['--partition-by <column>', 'Parquet only: a folder for each value, COLUMN=value; without one, as Hive names it'],
] as const
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
    options: [
      ['--years <years>', `${yearsText} (default: 2007-2012)`],
      ['--out <file>', 'where to write, in a folder that is made if need be; gzip when it ends in .gz'],
      ['--rows <n>', 'rows in all (default: as many as the real file has)'],
      ['--seed <s>', 'another look-alike (default: 1)'],
    ],
    load: () => import('./generate.ts'),
  },
  {
    name: 'produce',
    summary: 'replay years of a file into the inflow of its record',
    example: 'tidemark produce --years 2008-2009',
    options: [...sourceOptions, record, definitionsFile, ['--rate <n>', 'records a second (default: as fast as it goes)'], strict, carryOn],
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
    args: '[set]',
    summary: 'batch: years of a file through the same engine into the warehouse, or straight into files',
    example: 'tidemark backfill --years 2007\n  $ tidemark backfill --years 2007-2012 --features loan_risk@1 --out data/loan_risk_v1',
    options: [
      ...sourceOptions,
      [
        '--features <set>',
        'the feature set, as the argument names it (default: the first that is not batch only); with --out also SET@VERSION (default: ' +
          'the newest defined); or a definitions file',
      ],
      strict,
      carryOn,
      ['--undo', 'take back what an unfinished backfill wrote'],
      [
        '--out <dir>',
        'write files instead, from the file alone: nothing else is read or changed, and features start empty at the first row chosen',
      ],
      ...fileOptions,
    ],
    load: () => import('./backfill.ts'),
  },
  {
    name: 'plan',
    args: '[set@version]',
    summary: 'what applying a version would do; without one, the next of every set',
    example: 'tidemark plan loan_risk@1',
    options: [...modeOptions, definitionsFile, ['--exit-code', 'exit 3 when something would change']],
    load: () => import('./plan.ts'),
  },
  {
    name: 'apply',
    args: '<set@version>',
    summary: 'release the next version of a feature set and hand over to it',
    example: 'tidemark apply loan_risk@1 --cold',
    options: [...modeOptions, definitionsFile, why],
    load: () => import('./apply.ts'),
  },
  {
    name: 'promote',
    args: '<set@version>',
    summary: 'show a version to SQL users: one transaction, then the rows it lacks are filled',
    example: 'tidemark promote loan_risk@2 --max-changed 20% --max-nulls 1%',
    options: [
      ['--max-changed <percent>', 'refuse if more rows of a feature changed'],
      ['--max-nulls <percent>', 'refuse if more rows of a feature lost their value'],
      why,
    ],
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
    name: 'repair',
    args: '[set]',
    summary: 'make rows, views and records of the warehouse again, from journal and history',
    example: 'tidemark repair loan_risk',
    onExisting: true,
    load: () => import('./repair.ts'),
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
    options: [
      [
        '--format <format>',
        'table (the first 1 000 rows), csv or json, where whole numbers beyond 2^53 and infinities are texts (default: table)',
      ],
    ],
    onExisting: true,
    load: () => import('./query.ts'),
  },
  {
    name: 'export',
    args: '<set@version>',
    summary: "a version's rows as Parquet or CSV, in a folder of their own",
    example: 'tidemark export loan_risk@1 --out data/loan_risk_v1',
    options: [['--out <dir>', 'the folder to make; it must not exist, or be empty'], ...fileOptions],
    onExisting: true,
    load: () => import('./export.ts'),
  },
  {
    name: 'schemas',
    args: '[subject-or-id]',
    summary: 'what the registry holds; with an id, that definition',
    example: 'tidemark schemas loan_risk',
    onExisting: true,
    load: () => import('./schemas.ts'),
  },
  {
    name: 'topics',
    args: '[topic]',
    summary: 'what the log holds; with a topic, its last messages',
    example: 'tidemark topics outflow --last 3',
    options: [
      ['--last <n>', 'how many messages of each partition (default: 10)'],
      ['--from <offset>', 'begin at this offset instead of the end'],
      ['--partition <p>', 'only this one'],
      ['--create', 'make it if it is missing, or check it'],
      ['--partitions <n>', 'with --create: how many (default: 1)'],
    ],
    onExisting: true,
    load: () => import('./topics.ts'),
  },
  {
    name: 'reset',
    args: '<topic>',
    summary: 'delete the records of a topic that all of its readers have taken; or go on with one as it is',
    example: 'tidemark reset outflow',
    options: [
      ['--record <name>', 'whose inflow, outflow or inflow.dead, where there are several streams'],
      ['--before <offset>', 'only those before this offset (default: as many as may go)'],
      ['--partition <p>', 'only this one'],
      ['--as-it-is', 'delete nothing: go on with a topic that was made anew, or that lost records before they were taken'],
    ],
    onExisting: true,
    load: () => import('./reset.ts'),
  },
  {
    name: 'status',
    summary: 'what is where: topics, lag and rate of each reader, versions, dead letters',
    example: 'tidemark status',
    options: [['--over <seconds>', 'how long to look for the rates; 0 leaves them out (default: 1 while something runs)']],
    onExisting: true,
    load: () => import('./status.ts'),
  },
  {
    name: 'doctor',
    summary: 'check every part and say what to do; changes nothing',
    example: 'tidemark doctor',
    options: [['--deep', 'read large database files as a whole too'], definitionsFile],
    load: () => import('./doctor.ts'),
  },
]
