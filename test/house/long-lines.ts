/** Lines that a formatter leaves longer than the house allows: comments, which are wrapped here, and texts, which an author breaks. */
import type { Source } from './sources.ts'

const most = 140

/** docs/guarantees.md names tests by their titles, and a regular expression has no second line: those stay whole. */
const whole = /^\s*(?:(?:\]\)|(?:it|law|describe)(?:\.\w+)*)\(|(?:\w+: |const \w+ = )?\/.*\/[a-z]*[,)]*$)/

export const longLinesIn = ({ file, text }: Source): readonly string[] =>
  text.split('\n').flatMap((line, i) => (line.length > most && !whole.test(line) ? [`${file}:${i + 1} has ${line.length} characters`] : []))

/** Of a member that stood on one line with others. */
const besideMember = /^( *)(\/\*\* [^*]* \*\/) (?=\S)/gm
const wholeBlock = /^(\s*)\/\*\* (.*) \*\/$/
const commentLine = /^(\s*(?:\*|\/\/) )(.*)$/

/** With every comment above what it is about, and those that are too long wrapped; one that goes on in the next line flows into it. */
export function wrapped(text: string): string {
  const out: string[] = []
  let flowing = { mark: '', rest: '' }
  for (const line of text.replace(besideMember, '$1$2\n$1').split('\n')) {
    const [, indent, sentence] = wholeBlock.exec(line) ?? []
    const [, mark = '', words = ''] = commentLine.exec(line) ?? []
    const flows = flowing.rest !== '' && mark === flowing.mark && !words.startsWith('*/')
    if (flowing.rest !== '' && !flows) out.push(flowing.mark + flowing.rest)
    const all = flows ? `${flowing.rest} ${words}` : words
    flowing = { mark: '', rest: '' }
    if (sentence !== undefined && line.length > most) out.push(`${indent}/**`, ...filled(`${indent} * `, sentence), `${indent} */`)
    else if (mark !== '' && mark.length + all.length > most) {
      const lines = filled(mark, all)
      flowing = { mark, rest: lines.pop()!.slice(mark.length) }
      out.push(...lines)
    } else out.push(mark === '' ? line : mark + all)
  }
  return out.join('\n')
}

function filled(mark: string, words: string): string[] {
  const lines = [mark.trimEnd()]
  for (const word of words.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`
    if (longer.length <= most || lines.at(-1) === mark.trimEnd()) lines[lines.length - 1] = longer
    else lines.push(mark + word)
  }
  return lines
}
