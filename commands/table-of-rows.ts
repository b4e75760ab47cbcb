/** The commands that give rows and features to whoever wants them elsewhere. */
import type { Command } from './command.ts'
import { fileOptions } from './shared-options.ts'

export const ofRows: readonly Command[] = [
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
    name: 'training-set',
    summary: "features behind labels, as they were at each label's time, with a manifest from which the same can be made again",
    example:
      'tidemark training-set --labels labels.csv --time decided_at --features loan_risk@2:ma50,loan_risk@2:ma100 --out training.parquet',
    options: [
      ['--labels <file>', 'CSV or Parquet, any columns; the keys of the sets under their names'],
      ['--time <column>', 'of the labels: as of when; a date is its beginning'],
      ['--features <names>', 'SET@N:FEATURE, several divided by commas; SET:FEATURE is the promoted version'],
      ['--out <file>', 'the file to make, .parquet or .csv'],
      ['--known', 'only what had come in by then; over facts it is always so'],
      ['--as-served', 'only rows computed by then, of the version that was promoted then'],
      ['--before', 'only what happened before that moment, not at it'],
      ['--max-age <age>', 'older rows count as none, e.g. 90d, 12h'],
      ['--with <columns>', 'beside the features of each set: version, age (in seconds), or both'],
      ['--utc', 'times of the labels that say no zone are in UTC'],
      ['--rows <dirs>', 'rows exported as Parquet instead of the warehouse: DIR, or SET@N=DIR divided by commas'],
      ['--sql', 'only show the statement for the warehouse'],
      ['--from <manifest>', 'make the same one again, and check that it is'],
    ],
    // What was exported needs no store.
    onExisting: ({ rows }) => rows === undefined,
    load: () => import('./training-set.ts'),
  },
]
