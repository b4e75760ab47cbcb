/** Options that several commands have, each told once. */

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
export const webOptions = [
  ['--host <address>', 'where to listen (default: that of "web" in the config, else 127.0.0.1)'],
  ['--port <n>', 'at which port, 0 for any that is free (default: that of "web" in the config, else 7070)'],
] as const
