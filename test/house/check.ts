/**
 * `npm run check`: the whole gate, the fast parts first, all of them; the tests come when those are well. With --fast, without the tests.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { offendersAmong } from './import-map.ts'
import { longLinesIn } from './long-lines.ts'
import { cycleIn, importsOf, sourcesIn } from './sources.ts'

/** Nothing when all is well, else what to read. */
type Part = { readonly name: string; readonly says: string; readonly look: () => Promise<string> | string }

const sources = sourcesIn()
const imports = sources.flatMap(importsOf)

const parts: readonly Part[] = [
  { name: 'lines', says: 'none is longer than 140', look: () => sources.flatMap(longLinesIn).join('\n') },
  { name: 'imports', says: 'they follow the map', look: () => offendersAmong(imports).join('\n') },
  { name: 'cycles', says: 'no file imports itself by way of others', look: () => cycleIn(imports)?.join(' → ') ?? '' },
  { name: 'format', says: 'as npm run format writes it', look: () => complaintOf('oxfmt', '--check', '.') },
  { name: 'unused', says: 'every file, export and dependency is needed', look: () => complaintOf('knip') },
  { name: 'types', says: 'it compiles', look: () => complaintOf('tsc') },
  { name: 'lint', says: 'no rule is broken', look: () => complaintOf('oxlint') },
]

const failed: string[] = []
for (const { name, says, look } of parts) {
  const startedMs = performance.now()
  const complaint = await look()
  const took = `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
  console.log(`${name.padEnd(8)} ${took.padStart(7)}  ${complaint === '' ? says : 'FAILED'}`)
  if (complaint === '') continue
  failed.push(name)
  console.log(`\n${complaint}\n`)
}

const fast = process.argv.includes('--fast')
const verdict = `${parts.length - failed.length} passed, ${failed.length} failed${failed.length > 0 ? ` (${failed.join(', ')})` : ''}`
console.log(`check: ${verdict}${fast ? '' : failed.length > 0 ? '; the tests were not run' : '; now the tests'}`)
if (failed.length > 0) process.exitCode = 1
else if (!fast) process.exitCode = (await run('vitest', ['run'], 'inherit')).code

async function complaintOf(tool: string, ...args: readonly string[]): Promise<string> {
  const { code, said } = await run(tool, args, 'pipe')
  return code === 0 ? '' : said.trim() || `${tool} ended with ${code}`
}

function run(tool: string, args: readonly string[], output: 'pipe' | 'inherit'): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((done, lost) => {
    const child = spawn(join('node_modules', '.bin', tool), args, { stdio: ['ignore', output, output] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.once('error', lost)
    child.once('close', (code) => done({ code: code ?? 1, said }))
  })
}
