/** Feast's own Python client, as it comes from PyPI, asks the server as it would Feast's. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freshFolder } from '../cli-run.ts'
import { unlessMissing } from '../unless-missing.ts'
import { beside, installed, missingFor } from './python.ts'
import { serveStore, storeToServe } from './store.ts'

unlessMissing(missingFor('feast'), () => {
  describe("Feast's client", { timeout: 900_000 }, () => {
    let programs: string
    beforeAll(async () => {
      programs = await installed('feast')
    }, 900_000)

    it('reads features by key and version, and hears what is refused', async () => {
      const { address } = await serveStore(await storeToServe())
      const client = spawn(join(programs, 'python'), [beside('ask_feast.py'), freshFolder(), address], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      onTestFinished(() => void client.kill())
      const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]()
      const ask = async (request: object) => {
        client.stdin.write(`${JSON.stringify(request)}\n`)
        return JSON.parse((await lines.next()).value as string) as unknown
      }
      const entity_rows = [{ state: 'NM' }, { state: 'CA' }, { state: 'XX' }]
      expect(await ask({ features: ['by_state:peak', 'by_state:ma2'], entity_rows })).toEqual({
        state: ['NM', 'CA', 'XX'],
        peak: [6, null, null],
        ma2: [3, null, null],
      })
      expect(await ask({ features: ['by_state@v0:ma2', 'by_state@v2:ma2'], entity_rows, full_feature_names: true })).toEqual({
        state: ['NM', 'CA', 'XX'],
        'by_state@v0__ma2': [4, null, null],
        'by_state@v2__ma2': [3, null, null],
      })
      expect(await ask({ features: ['by_state:nope'], entity_rows })).toEqual({
        error: expect.stringContaining('by_state@2 has no feature nope'),
      })
    })
  })
})
