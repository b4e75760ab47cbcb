/** Redshift's COPY … FROM 's3://…' as data: the few of its many words that the test server knows, all others refused. */
import { closing, listOf, SqlError, textOf, type Word } from './redshift-sql-words.ts'

export type Copy = {
  /** As it stands in SQL. */
  readonly table: string
  readonly columns: readonly string[]
  readonly bucket: string
  /** A key, or the beginning of some. */
  readonly key: string
  readonly role: string
  readonly format: 'parquet' | 'csv'
  readonly manifest: boolean
  readonly gzip: boolean
  /** What stands for null in a CSV file. */
  readonly nullAs: string | undefined
  readonly skipLines: number
}

const literal = (word: Word | undefined): string => {
  if (word?.kind !== 'string') throw new SqlError(`syntax error at or near "${word?.text ?? 'end of input'}"`)
  return word.text.slice(1, -1).replaceAll("''", "'").replaceAll('\\\\', '\\')
}

export function copyOf(words: readonly Word[]): Copy {
  const from = words.findIndex(({ kind, text }) => kind === 'plain' && text === 'FROM')
  if (from < 0) throw new SqlError('syntax error in COPY: no FROM')
  const open = words.findIndex(({ text }, i) => text === '(' && i < from)
  const columns = open < 0 ? [] : listOf(words.slice(open + 1, closing(words, open))).map(textOf)
  const place = /^s3:\/\/([^/]+)\/(.+)$/.exec(literal(words[from + 1]))
  if (!place) throw new SqlError('COPY: only s3://bucket/key is understood here')
  const options = optionsOf(words.slice(from + 2))
  if (options.role === undefined) throw new SqlError('COPY: an IAM_ROLE is needed')
  if (!/^(default|arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+)$/.test(options.role))
    throw new SqlError(`Invalid IAM role: ${options.role}`)
  if (options.format === undefined) throw new SqlError('COPY: FORMAT AS PARQUET or FORMAT AS CSV is needed here')
  if (options.format === 'parquet') {
    if (columns.length > 0) throw new SqlError('the test server loads Parquet by position, without a list of columns')
    const misplaced = (['gzip', 'nullAs', 'skipLines'] as const).find((one) => options[one])
    if (misplaced) throw new SqlError(`COPY: ${misplaced} is not supported for file format PARQUET`)
  }
  return {
    table: textOf(words.slice(1, open < 0 ? from : open)).toLowerCase(),
    columns,
    bucket: place[1]!,
    key: place[2]!,
    role: options.role,
    format: options.format,
    manifest: options.manifest ?? false,
    gzip: options.gzip ?? false,
    nullAs: options.nullAs,
    skipLines: options.skipLines ?? 0,
  }
}

type Options = { role?: string; format?: 'parquet' | 'csv'; manifest?: boolean; gzip?: boolean; nullAs?: string; skipLines?: number }

function optionsOf(words: readonly Word[]): Options {
  const options: Options = {}
  let i = 0
  const stands = (text: string, at: number) => words[at]?.kind === 'plain' && words[at].text === text
  /** Whether these words come next; they are taken then. */
  const is = (...texts: string[]) => texts.every((text, j) => stands(text, i + j)) && Boolean((i += texts.length))
  while (i < words.length) {
    if (is('IAM_ROLE')) options.role = is('DEFAULT') ? 'default' : literal(words[i++])
    else if (is('FORMAT', 'AS', 'PARQUET') || is('FORMAT', 'PARQUET')) options.format = 'parquet'
    else if (is('FORMAT', 'AS', 'CSV') || is('FORMAT', 'CSV') || is('CSV')) options.format = 'csv'
    else if (is('MANIFEST')) options.manifest = true
    else if (is('GZIP')) options.gzip = true
    else if (is('NULL', 'AS') || is('NULL')) options.nullAs = literal(words[i++])
    else if (is('IGNOREHEADER', 'AS') || is('IGNOREHEADER')) options.skipLines = Number(words[i++]?.text)
    else if (is('COMPUPDATE') || is('STATUPDATE')) void (is('OFF') || is('ON') || is('FALSE') || is('TRUE'))
    else if (is('REGION', 'AS') || is('REGION')) literal(words[i++])
    else if (!is('ENCODING', 'AS', 'UTF8') && !is('ENCODING', 'UTF8'))
      throw new SqlError(`the test server does not know COPY … ${words[i]!.text}`)
  }
  return options
}
