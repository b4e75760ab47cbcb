/** The names in the first line of a text. */
import type { SourceFile } from '../../utilities/source.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { csvForm } from './form.ts'
import { cellText, walk } from './walk.ts'

const mostBytes = 1 << 20

export async function headerNames(file: SourceFile): Promise<readonly string[]> {
  const { delimiter } = csvForm(file.form)
  let text = Buffer.alloc(0)
  for await (const chunk of file.read()) {
    text = Buffer.concat([text, chunk])
    if (walk(text, 0, text.length, { limit: mostBytes, delimiter }).outcome !== 'open') break
  }
  const bytes = Buffer.concat([text, Buffer.from('\n')])
  const from = bytes.indexOf('\ufeff') === 0 ? 3 : 0
  const { cells, outcome } = walk(bytes, from, bytes.length, { limit: mostBytes, delimiter })
  const names = outcome === 'ended' ? cells.map((cell) => cellText(bytes, cell)) : []
  if (names.join('').trim() === '')
    throw new Problem(`${file.place} has no header`, 'Its first line must name the columns, e.g. account_id,time,label.')
  return names
}
