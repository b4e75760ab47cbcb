/** What can be said of the file that a command reads, and of the years in it. */

export const yearsText = 'a year or a range, e.g. 2008 or 2008-2009'

export const sourceOptions = [
  ['--years <years>', `${yearsText} (default: every year)`],
  [
    '--file <file>',
    'CSV, plain or gzip, or Parquet; a folder, a pattern in quotes, or - for standard input (default: that of the record in the config)',
  ],
  ['--delimiter <character>', 'between the cells of a CSV (default: what the config says, or a comma)'],
] as const
