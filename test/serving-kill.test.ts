/** Serving as a process that is killed, on the embedded log; and refused where another one has the store. */
import { describe, expect, it } from 'vitest'
import { serveRows } from '../use-cases/serve.ts'
import { done, freshFolder } from './cli-run.ts'
import { generated, limitMs, withPorts } from './loan-folders.ts'
import { seed } from './seeded.ts'
import { servedWhileKilled } from './served-while-killed.ts'

describe(`what services read, seed ${seed}`, () => {
  it(
    'is never older than before, and in the end what the warehouse has, though serving and the consumer are killed while versions change',
    async () => {
      const loans = await generated(6_000, seed)
      await servedWhileKilled(freshFolder(), undefined, loans)
    },
    3 * limitMs,
  )

  it(
    'is kept by one process at a time, and a second one is told by whom',
    async () => {
      const folder = freshFolder()
      await done(folder, 'apply loan_risk@0 --yes')
      await withPorts(folder, async (ports) => {
        const first = await serveRows(ports, { note: () => {} })
        await expect(serveRows(ports, { note: () => {} })).rejects.toThrow(`serve is held by process ${process.pid}`)
        await first.close()
        const second = await serveRows(ports, { note: () => {} })
        expect(second.read(({ sets }) => [...sets.keys()])).toEqual(expect.any(Array))
        await second.close()
      })
    },
    limitMs,
  )
})
