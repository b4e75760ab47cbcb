/** The program's files, and what each of them imports: statically or dynamically, as a type, by require, or as a file to be started. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type Source = { readonly file: string; readonly text: string }

/** `to` is a file, a package or a module of Node's; `computed` where only a run can tell. */
export type Import = { readonly file: string; readonly to: string }

const notOurs = /^(\.|node_modules$|dist$|data$)/

/** Every file of TypeScript or JavaScript, by its path from the root. */
export function sourcesIn(root = '.'): readonly Source[] {
  const tops = readdirSync(root, { withFileTypes: true }).filter(({ name }) => !notOurs.test(name))
  const files = tops.flatMap((top) =>
    top.isDirectory()
      ? readdirSync(join(root, top.name), { recursive: true, encoding: 'utf8' }).map((file) => join(top.name, file))
      : [top.name],
  )
  return files
    .filter((file) => /\.[tj]s$/.test(file))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))
}

const literal = /(?:(?<!['"])\b(?:from|import|import\(|require\()|\(import\.meta\.url\)\()\s*['"]([^'"\n]+)['"]|new URL\('(\.[^']+\.ts)'/g
const computed = /\bimport\((?!\s*['"])/

export const importsOf = ({ file, text }: Source): readonly Import[] => [
  ...[...text.matchAll(literal)].map(([, said, started]) => ({ file, to: placeOf(file, (said ?? started)!) })),
  ...(computed.test(text) ? [{ file, to: 'computed' }] : []),
]

const placeOf = (file: string, said: string) => (said.startsWith('.') ? join(dirname(file), said) : packageOf(said))

const packageOf = (said: string) =>
  said.startsWith('node:')
    ? said
    : said
        .split('/')
        .slice(0, said.startsWith('@') ? 2 : 1)
        .join('/')

/** The first chain of imports that comes back to where it began; undefined when there is none. */
export function cycleIn(imports: readonly Import[]): readonly string[] | undefined {
  const next = new Map<string, string[]>()
  for (const { file, to } of imports) next.set(file, [...(next.get(file) ?? []), to])
  const done = new Set<string>()
  const visit = (file: string, above: readonly string[]): readonly string[] | undefined => {
    if (above.includes(file)) return [...above.slice(above.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const to of next.get(file) ?? []) {
      const found = visit(to, [...above, file])
      if (found) return found
    }
    done.add(file)
    return undefined
  }
  for (const file of next.keys()) {
    const found = visit(file, [])
    if (found) return found
  }
  return undefined
}
