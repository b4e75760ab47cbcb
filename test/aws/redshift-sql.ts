/** Redshift's SQL for PostgreSQL: translated where the two say the same differently, refused where only PostgreSQL would understand. */
import { copyOf, type Copy } from './redshift-sql-copy.ts'
import { unloadOf, type Unload } from './redshift-sql-unload.ts'
import { alterationOf, tableOf } from './redshift-sql-table.ts'
import { outline, statementsOf, SqlError, textOf, wordsOf, type Backslash, type Word } from './redshift-sql-words.ts'

export type Translated = {
  /** For PostgreSQL, with $1, $2 … for the parameters. */
  readonly text: string
  /** The names of the parameters, in the order of their numbers. */
  readonly parameters: readonly string[]
  /** Cannot stand in a transaction with others. */
  readonly outsideTransactions?: boolean
  /** Ends the transaction it stands in. */
  readonly commits?: boolean
  /** The view that must keep exactly its columns. */
  readonly replacedView?: string
  readonly copy?: Copy
  readonly unload?: Unload
}

const missingFunctions = [
  'GENERATE_SERIES',
  'UNNEST',
  'STRING_AGG',
  'ARRAY_AGG',
  'JSONB?_\\w+',
  'ROW_TO_JSON',
  'TO_JSONB?',
  'GEN_RANDOM_UUID',
  'NOW',
  'CLOCK_TIMESTAMP',
  'STATEMENT_TIMESTAMP',
  'REGEXP_MATCHES',
  'REGEXP_SPLIT_TO_TABLE',
  'CONCAT_WS',
  'FORMAT',
  'NUM_NULLS',
  'NUM_NONNULLS',
  'DATE_BIN',
  'TO_REGCLASS',
  'PG_ADVISORY\\w*',
  'MAKE_DATE',
  'MAKE_TIMESTAMP',
  'STRING_TO_ARRAY',
  'CARDINALITY',
  'REGEXP_LIKE',
  'REGEXP_MATCH',
  'OVERLAY',
  'STARTS_WITH',
  'WIDTH_BUCKET',
  'PG_TOTAL_RELATION_SIZE',
  'PG_RELATION_SIZE',
  'PG_TABLE_SIZE',
  'PG_DATABASE_SIZE',
  'PG_SIZE_PRETTY',
]

/** Words that PostgreSQL understands and Redshift does not, with what Redshift says; looked for in the outline of a statement. */
const refused: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/\bON CONFLICT\b/, 'syntax error at or near "CONFLICT"'],
  [/\bRETURNING\b/, 'syntax error at or near "RETURNING"'],
  [/^CREATE (UNIQUE )?INDEX\b/, (found) => `SQL command "${found}" not supported on Redshift tables.`],
  [
    /^(CREATE|ALTER|DROP) (TRIGGER|RULE|DOMAIN|TYPE|SEQUENCE|EXTENSION|AGGREGATE|OPERATOR|CAST|TABLESPACE|UNLOGGED)\b/,
    (found) => `SQL command "${found}" not supported.`,
  ],
  [/\[/, 'syntax error at or near "["'],
  [
    /(?<!\.) \b(JSONB?|UUID|BYTEA|SERIAL|BIGSERIAL|MONEY|INET|XML|TSVECTOR|HSTORE|CITEXT)\b(?! [(.])/,
    (found) => `type "${found.trim().toLowerCase()}" does not exist`,
  ],
  [
    new RegExp(`\\b(${missingFunctions.join('|')}) \\(`),
    (found) => `function ${found.slice(0, -2).toLowerCase()}() does not exist, or runs on the leader node only`,
  ],
  [/:: REG\w+/, (found) => `the test server refuses ${found.replace(' ', '').toLowerCase()}: it is not known to work in Redshift`],
  [/\bIS (NOT )?DISTINCT FROM\b/, 'syntax error at or near "DISTINCT"'],
  [/\bDISTINCT ON \(/, 'SELECT DISTINCT ON is not supported'],
  [/\bFILTER \( WHERE\b/, 'syntax error at or near "("'],
  [/\bLATERAL\b/, 'LATERAL is not supported'],
  [/\bWINDOW \S+ AS \(/, 'syntax error at or near "WINDOW"'],
  [/^UPDATE\b.* SET \(/, 'syntax error at or near "("'],
  [
    /(:: |\bAS )(NUMERIC|DECIMAL)(?! \()/,
    (found) => `the test server refuses ${found.toLowerCase()} without a precision: Redshift would keep no decimals`,
  ],
  [
    /^(INSERT INTO|CREATE (TEMP |TEMPORARY )?TABLE)\b.*\b(FROM|JOIN) (PG_CATALOG \. |INFORMATION_SCHEMA \. )?(PG|SVV|INFORMATION_SCHEMA)\w*/,
    'Specified types or functions (one per INFO message) not supported on Redshift tables.',
  ],
  [/\bWITH ORDINALITY\b/, 'syntax error at or near "ORDINALITY"'],
  [/\bFOR (UPDATE|SHARE|NO KEY UPDATE|KEY SHARE)\b/, 'SELECT FOR UPDATE/SHARE is not supported'],
  [/(^|\( |\bAS )VALUES \(/, 'VALUES as a table is not supported'],
  [/^DELETE FROM \S+( \. \S+)? (?!\.|USING\b|WHERE\b|$)/, 'syntax error: DELETE takes no alias'],
  [/^MERGE INTO \S+( \. \S+)? (?!\.|USING\b)/, 'syntax error: the target of MERGE takes no alias'],
  [/\bON COMMIT\b/, 'syntax error at or near "COMMIT"'],
  [/\bMATERIALIZED\b/, 'the test server has no materialized views'],
  [/\bIS JSON\b|\bWITHIN GROUP\b.*\bMODE\b/, 'not supported'],
  [
    /^(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|PREPARE|DEALLOCATE|DECLARE|FETCH|LISTEN|NOTIFY|DO)\b/,
    (found) => `the test server refuses ${found}: a batch is a transaction by itself`,
  ],
  [/^CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b|^CALL\b/, (found) => `the test server has no ${found}`],
  [/\bIDENTITY \( (?!\d+ , \d+ \))/, 'syntax error in IDENTITY'],
  [/\$ *\$/, 'dollar quoting is only understood in procedures'],
  [/\b(E|N|B|X|U &) ''/, 'the test server refuses literals with a prefix: they are not known to work in Redshift'],
]

export function translate(sql: string, backslash: Backslash): Translated {
  if (sql.includes('\0')) throw new SqlError('invalid byte sequence for encoding "UTF8": 0x00')
  const [statement, ...others] = statementsOf(wordsOf(sql, backslash))
  if (!statement) throw new SqlError('the statement is empty')
  if (others.length > 0) throw new SqlError('cannot insert multiple commands into a prepared statement')
  const shape = outline(statement)
  for (const [pattern, says] of refused) {
    const found = pattern.exec(shape)?.[0]
    if (found !== undefined) throw new SqlError(typeof says === 'string' ? says : says(found))
  }
  const tooLong = statement.find(({ kind, text }) => kind === 'string' && Buffer.byteLength(text) > 2 * 65535)
  if (tooLong) throw new SqlError('a literal is longer than 65535 bytes')
  return { parameters: [], ...meaning(statement, shape) } satisfies Translated
}

function meaning(words: readonly Word[], shape: string): Partial<Translated> & { readonly text: string } {
  if (/^COPY\b/.test(shape)) return { text: '', copy: copyOf(words) }
  if (/^UNLOAD\b/.test(shape)) return { text: '', unload: unloadOf(words) }
  if (/^CREATE (LOCAL )?(TEMP |TEMPORARY )?TABLE\b/.test(shape)) return plainly(tableOf(words))
  if (/^ALTER TABLE\b/.test(shape)) return alterationOf(words)
  if (/^VACUUM\b/.test(shape)) return { text: vacuum(words), outsideTransactions: true }
  if (/^(CREATE|DROP) (DATABASE|EXTERNAL)\b/.test(shape)) return { text: textOf(words), outsideTransactions: true }
  // Redshift's TRUNCATE commits the transaction it stands in, at once.
  if (/^TRUNCATE\b/.test(shape)) return { text: textOf(words), commits: true }
  if (/^CREATE OR REPLACE VIEW\b/.test(shape)) {
    const nameEnd = words.findIndex(({ text }) => text === 'AS' || text === '(')
    return { text: viewText(words), replacedView: textOf(words.slice(4, nameEnd)) }
  }
  if (/^CREATE VIEW\b/.test(shape)) return { text: viewText(words) }
  if (/^MERGE\b/.test(shape)) return { text: merge(words, shape) }
  if (/^(GRANT|REVOKE)\b/.test(shape)) return { text: textOf(words).replace(/\b(TO|FROM|,) ROLE /g, '$1 ') }
  if (/^CREATE ROLE\b/.test(shape)) return { text: textOf(words) }
  if (/^(CREATE|ALTER) USER\b/.test(shape)) return { text: textOf(words).replace('PASSWORD DISABLE', 'PASSWORD NULL') }
  return numbered(words)
}

const plainly = (text: string) => ({ text })

/** A view without a schema binding must name the schema of what it shows; PostgreSQL binds it all the same. */
const viewText = (words: readonly Word[]) => shortened(spoken(words)).replace(/ WITH NO SCHEMA BINDING$/, '')

const vacuum = (words: readonly Word[]) =>
  textOf(words)
    .replace(/^VACUUM (FULL|SORT ONLY|DELETE ONLY|REINDEX|RECLUSTER)\b/, 'VACUUM')
    .replace(/ TO \d+ PERCENT| BOOST$/g, '')

/** Redshift takes a table as source, an equality in ON, exactly one action for each case, and none that does nothing. */
function merge(words: readonly Word[], shape: string): string {
  if (/\bREMOVE DUPLICATES$/.test(shape)) throw new SqlError('the test server has no MERGE … REMOVE DUPLICATES')
  if (/\bUSING \(/.test(shape)) throw new SqlError('MERGE: the source must be a table')
  if (/\bDO NOTHING\b|\bBY SOURCE\b|\bMATCHED AND\b/.test(shape)) throw new SqlError('syntax error in MERGE')
  const once = (pattern: RegExp) => shape.match(pattern)?.length === 1
  if (!once(/\bWHEN MATCHED\b/g) || !once(/\bWHEN NOT MATCHED\b/g))
    throw new SqlError('MERGE needs one WHEN MATCHED and one WHEN NOT MATCHED')
  return textOf(spoken(words))
}

/** Names of Redshift's that PostgreSQL has under others. */
const renamed: Readonly<Record<string, string>> = { NVL: 'COALESCE', SYSDATE: 'getdate()', LEN: 'length' }

const spoken = (words: readonly Word[]): Word[] =>
  words.map((word) => (word.kind === 'plain' ? { kind: 'plain', text: renamed[word.text] ?? word.text } : word))

/** A cast to a text without a length is one to 256 bytes, and cuts what is longer without a word. */
const shortened = (words: readonly Word[]): string =>
  words
    .map(({ kind, text }, i) => {
      const [before, behind] = [words[i - 1]?.text, words[i + 1]?.text]
      const isCast = kind === 'plain' && (text === 'VARCHAR' || text === 'TEXT') && (before === '::' || before === 'AS') && behind !== '('
      return isCast ? 'VARCHAR(256)' : text
    })
    .join(' ')

function numbered(words: readonly Word[]): { readonly text: string; readonly parameters: readonly string[] } {
  const parameters: string[] = []
  const numberOf = (name: string) => (parameters.includes(name) ? parameters.indexOf(name) + 1 : parameters.push(name))
  const text = shortened(
    spoken(words).map((word) => (word.kind === 'parameter' ? { kind: 'symbol', text: `$${numberOf(word.text.slice(1))}` } : word)),
  )
  return { text, parameters }
}
