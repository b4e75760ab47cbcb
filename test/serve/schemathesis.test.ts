/** The server is what its own description says: Schemathesis asks all that this allows, and what it does not. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { freshFolder } from '../cli-run.ts'
import { unlessMissing } from '../unless-missing.ts'
import { installed, missingFor } from './python.ts'
import { serveStore, storeToServe } from './store.ts'

/** What a description cannot say, and so would be taken for a fault: that lists are as long as each other, and names are those of sets. */
const left = 'positive_data_acceptance'

unlessMissing(missingFor('schemathesis'), () => {
  describe('the description', () => {
    it('is kept to, whatever is asked', { timeout: 900_000 }, async () => {
      const programs = await installed('schemathesis')
      const { address } = await serveStore(await storeToServe())
      const words = ['run', `${address}/openapi.json`, '--exclude-checks', left, '--max-examples', '40', '--seed', '1', '--no-color']
      const ended = await promisify(execFile)(join(programs, 'st'), words, { cwd: freshFolder() }).catch(
        (error: { stdout: string }) => error,
      )
      expect(ended, ended.stdout).toHaveProperty('stderr')
      expect(ended.stdout).not.toMatch(/FAILURES|ERRORS/)
      expect(ended.stdout).toMatch(/Tested:\s+9/)
    })
  })
})
