/** What a run of tests says of itself: which kinds it has, how far it has come, and one plain closing line for whoever counts. */
import type { Reporter, TestModule, TestSpecification } from 'vitest/node'

const meanings: Readonly<Record<string, string>> = { unit: 'in memory', whole: 'with processes and servers' }

/** A line for so many files. */
const filesPerLine = 10

export function progress(say: (line: string) => void): Reporter {
  const due = new Map<string, number>()
  const done = new Map<string, number>()
  return {
    onTestRunStart(specifications: readonly TestSpecification[]) {
      for (const [kind, some] of Map.groupBy(specifications, ({ project }) => project.name)) {
        due.set(kind, some.length)
        done.set(kind, 0)
        say(`${kind}: ${files(some.length)} ${meanings[kind] ?? ''}`)
      }
    },
    onTestModuleEnd({ project: { name } }: TestModule) {
      const [ended, all] = [(done.get(name) ?? 0) + 1, due.get(name) ?? 0]
      done.set(name, ended)
      if (ended === all || ended % filesPerLine === 0) say(`${name}: ${ended} of ${files(all)} done`)
    },
  }
}

const files = (count: number) => `${count} ${count === 1 ? 'file' : 'files'}`

export const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], errors) {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state))
    const count = (state: string) => states.filter((one) => one === state).length
    // A file that does not even load has no test to fail.
    const allPass = (module: TestModule) => [...module.children.allTests()].every((test) => test.result().state !== 'failed')
    const broken = modules.filter((module) => module.state() === 'failed' && allPass(module)).length
    const skipped = count('skipped') + count('pending')
    const failed = count('failed') + broken + errors.length
    process.on('exit', () => console.log(`${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`))
  },
}
