/** Leases, taken and lost by real processes. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Held } from '../utilities/lease.ts'
import { takeLease } from '../utilities/sqlite/lease.ts'
import { Problem } from '../utilities/values/problem.ts'
import { holdAlone } from '../utilities/sqlite/database.ts'
import { newDirectory, nextLine, startChild } from './contracts/processes.ts'

function testDirectory(): string {
  const { dir, remove } = newDirectory()
  onTestFinished(remove)
  return join(dir, 'data')
}

const refusalOf = (taking: Promise<unknown>): Promise<Problem> =>
  taking.then(
    () => {
      throw new Error('the lease was given')
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(Problem)
      return error as Problem
    },
  )

describe('a lease', { timeout: 60_000 }, () => {
  it('is held by one at a time, in one process too, and free once it is closed', async () => {
    const dir = testDirectory()
    const lease = await takeLease(dir, 'sink', 'tidemark sink')
    const refusal = await refusalOf(takeLease(dir, 'sink', 'tidemark up'))
    expect(refusal.what).toMatch(
      new RegExp(`^sink is held by process ${process.pid} on ${hostname()} since \\d{4}-\\d\\d-\\d\\dT\\S+Z: tidemark sink$`),
    )
    expect(refusal.todo).toContain(`kill ${process.pid}`)
    expect(refusal.message).not.toContain('\n')
    await lease.close()
    await lease.close()
    expect(existsSync(join(dir, 'leases', 'sink.json'))).toBe(false)
    await (await takeLease(dir, 'sink', 'tidemark up')).close()
  })

  it('of another name or in another directory is another lease', async () => {
    const dir = testDirectory()
    const leases = await Promise.all([
      takeLease(dir, 'sink', 'a'),
      takeLease(dir, 'compute/loan_risk/0', 'b'),
      takeLease(testDirectory(), 'sink', 'c'),
    ])
    expect((await refusalOf(takeLease(dir, 'compute/loan_risk/0', 'd'))).what).toMatch(/: b$/)
    for (const lease of leases) await lease.close()
  })

  it('of another process names it, and can be taken as soon as that process is killed', async () => {
    const dir = testDirectory()
    for (let round = 0; round < 3; round++) {
      const child = startChild('hold', dir, 'consume')
      await nextLine(child)
      const refusal = await refusalOf(takeLease(dir, 'consume', 'tidemark up'))
      expect(refusal.what).toContain(`process ${child.process.pid} `)
      expect(refusal.what).toMatch(/: tidemark consume$/)
      await child.kill()
      const lease = await takeLease(dir, 'consume', 'tidemark up')
      const second = startChild('hold', dir, 'consume')
      expect(await second.ended).toContain(`consume is held by process ${process.pid}`)
      await lease.close()
    }
  })

  it('is given to exactly one of several that want it at the same moment', async () => {
    const dir = testDirectory()
    const children = Array.from({ length: 4 }, () => startChild('hold', dir, 'consume'))
    const said = Promise.all(children.map(async (child) => (await child.lines.next()).value as string | undefined))
    // The holder stays, so the others have all been refused once three have ended.
    let ended = 0
    await new Promise<void>((resolve) => children.forEach((child) => void child.ended.then(() => ++ended === 3 && resolve())))
    await Promise.all(children.map((child) => child.kill()))
    expect((await said).filter((line) => line === 'held')).toHaveLength(1)
  })

  it('names no dead owner: whoever took it this very moment is waited for', async () => {
    const dir = testDirectory()
    const child = startChild('hold', dir, 'consume')
    await nextLine(child)
    await child.kill()
    const ownerFile = join(dir, 'leases', 'consume.json')
    expect(readFileSync(ownerFile, 'utf8')).toContain(`"pid":${child.process.pid},`)

    // As a holder is for a moment: it has the lock, and has not described itself yet.
    const letGo = holdAlone(join(dir, 'leases', 'consume.lock'))!
    onTestFinished(letGo)
    expect((await refusalOf(takeLease(dir, 'consume', 'tidemark up'))).what).toBe('another process holds consume')
    const refusal = refusalOf(takeLease(dir, 'consume', 'tidemark up'))
    writeFileSync(ownerFile, JSON.stringify({ pid: process.pid, host: hostname(), since: 'now', command: 'tidemark backfill' }))
    expect((await refusal).what).toMatch(/since now: tidemark backfill$/)
    writeFileSync(ownerFile, 'not JSON')
    expect((await refusalOf(takeLease(dir, 'consume', 'tidemark up'))).what).toBe('another process holds consume')
  })

  it('comes to who gives way once whoever has it lets go, however long that takes, or never where it is told to stop', async () => {
    const dir = testDirectory()
    const load = await takeLease(dir, 'ingest', 'tidemark load')
    let isTaken = false
    const taking = takeLease(dir, 'ingest', 'tidemark ingest', { givesWay: true }).then((lease) => ((isTaken = true), lease))
    const stop = new AbortController()
    const stopped = refusalOf(takeLease(dir, 'ingest', 'tidemark ingest', { givesWay: true, signal: stop.signal }))
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(isTaken).toBe(false)
    stop.abort()
    expect(await stopped).toBeInstanceOf(Held)
    await load.close()
    const lease = await taking
    // Others wait a while for who gives way.
    const verify = takeLease(dir, 'ingest', 'tidemark verify sale')
    await lease.close()
    await (await verify).close()
  })
})
