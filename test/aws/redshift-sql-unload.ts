/** Redshift's UNLOAD ('…') TO 's3://…' as data: the few of its many words that the test server knows, all others refused. */
import { SqlError, type Word } from './redshift-sql-words.ts'

export type Unload = {
  /** The statement whose rows go there, as it stands between the quotes. */
  readonly select: string
  readonly bucket: string
  /** What the names of the files begin with. */
  readonly prefix: string
}

const literal = (word: Word | undefined): string => {
  if (word?.kind !== 'string') throw new SqlError(`syntax error at or near "${word?.text ?? 'end of input'}"`)
  return word.text.slice(1, -1).replaceAll("''", "'").replaceAll('\\\\', '\\')
}

export function unloadOf(words: readonly Word[]): Unload {
  const is = (at: number, ...texts: readonly string[]) => texts.every((text, i) => words[at + i]?.text === text)
  if (!is(1, '(') || !is(3, ')', 'TO')) throw new SqlError("UNLOAD: only UNLOAD ('…') TO '…' is understood here")
  const place = /^s3:\/\/([^/]+)\/(.+)$/.exec(literal(words[5]))
  if (!place) throw new SqlError('UNLOAD: only s3://bucket/prefix is understood here')
  if (!is(6, 'IAM_ROLE')) throw new SqlError('UNLOAD: an IAM_ROLE is needed')
  if (words[7]?.text !== 'DEFAULT' && !/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(literal(words[7])))
    throw new SqlError('Invalid IAM role')
  if (!is(8, 'FORMAT', 'AS', 'PARQUET') || words.slice(11).some(({ text }) => text !== 'ALLOWOVERWRITE'))
    throw new SqlError('UNLOAD: FORMAT AS PARQUET ALLOWOVERWRITE is all that is understood here')
  const select = literal(words[2])
  if (!/^\s*(SELECT|WITH)\b/i.test(select)) throw new SqlError('UNLOAD needs a SELECT')
  return { select, bucket: place[1]!, prefix: place[2]! }
}
