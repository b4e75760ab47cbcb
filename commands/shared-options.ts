/** Options that several commands have, each told once. */

export const yearsText = 'a year or a range, e.g. 2008 or 2008-2009'
export const years = ['--years <years>', `${yearsText} (default: every year)`] as const
export const file = [
  '--file <file>',
  'CSV, plain or gzip, or Parquet; a folder, a pattern in quotes, or - for standard input (default: that of the record in the config)',
] as const
export const delimiter = ['--delimiter <character>', 'between the cells of a CSV (default: what the config says, or a comma)'] as const
export const strict = ['--strict', 'stop at the first line that cannot be read'] as const
export const carryOn = ['--continue', 'let another file continue the numbering of the ones before'] as const
export const record = ['--record <name>', 'whose stream, where the definitions have several records'] as const
export const definitionsFile = ['--features <file>', 'the definitions file (default: features of the config)'] as const
export const untilCaughtUp = ['--until-caught-up', 'stop at the end instead of waiting for more'] as const
export const fileOptions = [
  ['--format <format>', 'of the files: parquet or csv (default: parquet)'],
  ['--partition-by <column>', 'Parquet only: a folder for each value, COLUMN=value; without one, as Hive names it'],
] as const
export const why = ['--why <text>', 'the reason, kept in tidemark_versions'] as const
