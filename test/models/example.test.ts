/** The loop of a model, as npm run example:model tells it, on fewer records. */
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { freshFolder } from '../cli-run.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForPython, missingForRuntime } from './installed.ts'

unlessMissing(missingForRuntime() ?? missingForPython(), () => {
  it('trains a model on features, makes it the next version, and scores every new record by it', { timeout: 900_000 }, async () => {
    const words = [join(import.meta.dirname, 'example.ts'), '--rows', '4000', '--folder', join(freshFolder(), 'model')]
    const { stdout } = await promisify(execFile)(resolve('node_modules/.bin/node'), words, { timeout: 900_000, maxBuffer: 1e8 })
    expect(stdout).toMatch(/trained on \d+ rows; area under the curve of the \d+ that came later: 0\.[6-9]/)
    expect(stdout).toContain('loan_risk@3 is computed in the shadow')
    expect(stdout).toContain('loan_risk@3: 4 000 rows computed again and equal')
    const rows = stdout.trim().split('\n').slice(-5)
    for (const row of rows) expect(row).toMatch(/^ *\d+ .* 0\.\d+ +3$/)
  })
})
