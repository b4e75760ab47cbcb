/** Holds: who waits for a switch of versions waits by his own clock, and not for ever; who switches lets go when it fails. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { consume } from '../consumer/consume.ts'
import { loadPosition, savePosition, writerName } from '../streams/position.ts'
import { handover } from '../versions/handover.ts'
import { done, freshFolder } from './cli-run.ts'
import { generated, limitMs, withPorts } from './loan-folders.ts'

const set = 'loan_risk'
const over = { set, record: {} }
const place = { owner: set, partition: 0, by: 'a test' }

async function waiting(): Promise<string> {
  const folder = freshFolder()
  const file = await generated(300)
  await done(folder, 'apply loan_risk@0 --yes')
  await done(folder, `produce --years 2007-2012 --file ${file}`)
  return folder
}

describe('a hold', () => {
  it(
    'left by a killed command, on a machine whose clock is an hour ahead, is waited out in seconds',
    async () => {
      await withPorts(await waiting(), async (ports) => {
        const writer = await ports.log.writer(writerName(set, 0))
        const position = await loadPosition(ports.checkpoints, set, 0)
        const anHourAhead = Date.now() + 3_600_000
        await writer.commit({
          save: [savePosition(set, 0, { ...position, hold: { kind: 'switch', by: 'apply', token: 'left', until: anHourAhead } as never })],
        })
        const said: string[] = []
        await consume(ports, {
          over,
          partition: 0,
          follow: false,
          signal: new AbortController().signal,
          report: (news) => {
            if (news.kind === 'waiting') said.push(news.why)
          },
        })
        expect(said).toEqual(['apply is switching versions'])
        expect((await loadPosition(ports.checkpoints, set, 0)).seq).toBe(300)
      })
    },
    limitMs,
  )

  it(
    'stands as long as somebody renews it, and is gone when the switch fails',
    async () => {
      await withPorts(await waiting(), async (ports) => {
        let release = () => {}
        const kept = new Promise<void>((done) => (release = done))
        const tokens = new Set<string>()
        const switching = handover(ports, place, async (position, stillHere) => {
          for (let i = 0; i < 12; i++) {
            await sleep(1000)
            await stillHere()
            tokens.add(
              (await loadPosition(ports.checkpoints, set, 0)).hold?.kind === 'switch'
                ? JSON.stringify((await loadPosition(ports.checkpoints, set, 0)).hold)
                : 'no hold',
            )
          }
          release()
          return { position, save: [] }
        })
        const consuming = consume(ports, { over, partition: 0, follow: false, signal: new AbortController().signal, report: () => {} })
        await kept
        // Longer than a hold that nobody renews, and nobody took over.
        expect(tokens.size).toBeGreaterThan(2)
        expect(tokens).not.toContain('no hold')
        await Promise.all([switching, consuming])
        expect((await loadPosition(ports.checkpoints, set, 0)).seq).toBe(300)

        await expect(handover(ports, place, () => Promise.reject(new Error('the disk is full')))).rejects.toThrow('the disk is full')
        expect((await loadPosition(ports.checkpoints, set, 0)).hold).toBeNull()
      })
    },
    limitMs,
  )
})
