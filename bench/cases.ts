/**
 * Measures what stays inside a process: the engine, reading, the codecs. Runs go round, so that a slow phase of the machine hits every case
 * alike.
 */
import { run, type Finished } from './child.ts'
import type { Data } from './data.ts'
import type { Paced } from './paced.ts'
import { megabytes, spread, table } from './report.ts'

type Measured = Finished & { readonly paced: Paced }
type CaseOptions = { readonly runs: number; readonly say: (text: string) => void }

export async function measureCases(script: string, cases: readonly string[], data: Data, { runs, say }: CaseOptions): Promise<string> {
  const measured = new Map<string, Measured[]>(cases.map((name) => [name, []]))
  for (let turn = 1; turn <= runs; turn++) {
    say(`${script}, run ${turn}`)
    for (const name of cases) {
      const finished = await run(script, [data.file, name])
      measured.get(name)!.push({ ...finished, paced: JSON.parse(finished.stdout) as Paced })
    }
  }
  return table(
    ['case', 'million rows/s', 'ns a row', 'peak MB'],
    [...measured].map(([name, all]) => [
      name,
      spread(all.map(({ paced }) => paced.rows / paced.seconds / 1e6)),
      spread(all.map(({ paced }) => (paced.seconds / paced.rows) * 1e9)),
      megabytes(all.map(({ peakBytes }) => peakBytes)),
    ]),
  )
}
