/** Whether a statement only reads: Redshift has no transaction for reading alone, so it is looked at before it is sent. */
import { Problem } from '../values/problem.ts'

const literal = { plain: /'(?:[^']|'')*'/, escaping: /'(?:[^'\\]|\\[^]|'')*'/ }

/** Functions that do something to others, in whatever statement; a quoted name is one too. */
const acting = /\b(pg_terminate_backend|pg_cancel_backend|set_config|setval|nextval|lo_\w+)"?\s*\(/i

/** The statement with texts, quoted names and remarks emptied. */
function outline(sql: string, reading: keyof typeof literal): string {
  const emptied = new RegExp(`${literal[reading].source}|"(?:[^"]|"")*"|--[^\\n]*|/\\*[^]*?\\*/`, 'g')
  return sql.replace(emptied, (found) => (/^[-/]/.test(found) ? ' ' : found[0]! + found[0]!)).trim()
}

/** A Problem unless it is one statement that reads, whichever way a backslash is read. */
export function checkReads(sql: string): void {
  for (const reading of ['plain', 'escaping'] as const) {
    const text = outline(sql, reading).replace(/;\s*$/, '')
    const refuse = (why: string) => {
      const todo = 'Begin it with SELECT or WITH; a column with the name of a command needs double quotes.'
      throw new Problem(`only one statement that reads is run here (${why})`, todo)
    }
    if (text === '') refuse('there is none')
    if (text.includes(';')) refuse('there is more than one')
    if (!/^\(*\s*(SELECT|WITH|EXPLAIN|SHOW)\b/i.test(text)) refuse(`it begins with ${/^\S{1,30}/.exec(text)![0]}`)
    const acts = acting.exec(sql)
    if (acts) refuse(`it calls ${acts[1]}`)
    const writes = /\b(INTO|INSERT|UPDATE|DELETE|MERGE)\b/i.exec(text)
    if (writes) refuse(`it has ${writes[0]}`)
  }
}
