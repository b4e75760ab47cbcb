/** The list of promises and the tests agree, both ways. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** `file`: title · title · `file`: title */
const named = [...readFileSync('docs/guarantees.md', 'utf8').matchAll(/^\| [^|]+ \| (.+) \|$/gm)]
  .filter(([, cell]) => cell!.includes('`test/'))
  .flatMap(([, cell]) => {
    let file = ''
    return cell!.split(' · ').map((part) => {
      const [, newFile, title] = /^(?:`([^`]+)`: )?(.+)$/.exec(part)!
      file = newFile ?? file
      return { file, title: title! }
    })
  })

/** Behind `it(`, `law(`, or the table of an it.each; on the next line too. */
const titlesIn = (file: string) => {
  const source = readFileSync(file, 'utf8')
  return [...source.matchAll(/(?:\b(?:it|law)|\](?: as const)?(?:\.map\([^)]*\))?\)|\bit\.each[^\n]*?\))\(\s*(['"`])(.+?)\1,\s/g)].map(
    ([, , title]) => title!,
  )
}

describe('docs/guarantees.md', () => {
  it('names tests that exist', () => {
    const missing = named.filter(({ file, title }) => !readFileSync(file, 'utf8').includes(title))
    expect(missing).toEqual([])
  })

  it('names every test of the whole-program suites', () => {
    const suites = [
      'story',
      'kill',
      'versions',
      'versions-kill',
      'versions-cut',
      'versions-refused',
      'versions-live',
      'partitions',
      'plan',
      'streams',
      'streams-apart',
      'kafka/story',
      'kafka/kill',
      'kafka/partitions',
      'kafka/streams',
      'cdc/stack',
      'cdc/story',
    ].map((name) => `test/${name}.test.ts`)
    const listed = new Set(named.map(({ file, title }) => `${file}: ${title}`))
    const found = suites.flatMap((file) => titlesIn(file).map((title) => `${file}: ${title}`))
    expect(found.length).toBeGreaterThan(30)
    expect(found.filter((one) => !listed.has(one))).toEqual([])
  })
})
