/** The sink into Redshift: what lies in outflow arrives there as it does in the embedded warehouse, in few large writes. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ports } from '../../config/wire.ts'
import { knownVersions } from '../../streams/known-versions.ts'
import { gathered } from '../../sink/gather.ts'
import { runsTogether } from '../../streams/runs-together.ts'
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import { sinkReader, streamOf } from '../../streams/stream.ts'
import { sink } from '../../sink/sink.ts'
import { noDay, type Columns } from '../../utilities/values/columns.ts'
import type { Batch, Fetched } from '../../utilities/log.ts'
import type { Warehouse } from '../../utilities/warehouse.ts'
import { layoutOf } from '../../versions/layout.ts'
import { done } from '../cli-run.ts'
import { everything } from '../contracts/loan-rows.ts'
import { generated, limitMs, loansUntil2009, withPorts } from '../loan-folders.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { redshiftStore } from './redshift-stores.ts'

const batchOf = (messages: readonly string[]): Batch => {
  const parts = messages.map((text) => Buffer.from(text, 'latin1'))
  let end = 0
  return { bytes: Buffer.concat([...parts, Buffer.from('behind')]), ends: Uint32Array.from(parts, ({ length }) => (end += length)) }
}
const messagesOf = ({ bytes, ends }: Batch) =>
  [...ends].map((end, i) => Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)).toString('latin1'))

async function* sourceOf(batches: readonly (readonly string[])[], behind: () => Promise<void> = async () => {}): AsyncGenerator<Fetched> {
  let offset = 0
  for (const messages of batches) {
    yield { offset, next: offset + messages.length, batch: batchOf(messages) }
    offset += messages.length
  }
  await behind()
}
const untilAborted = (signal: AbortSignal) => new Promise<void>((done) => signal.addEventListener('abort', () => done()))
const reader = sinkReader(streamOf(rejectedLoan), 0)
const never = new AbortController().signal

/** A warehouse in Redshift whose tables, views and records are those of the embedded one. */
async function arrangedAlike(api: TestDataApi, ports: Ports) {
  const { warehouse, notes } = await redshiftStore(api).open()
  const definitions = (await knownVersions(ports.registry, 'loan_risk')).map(({ definition }) => definition)
  const records = await ports.warehouse.versions('loan_risk')
  await warehouse.arrange(layoutOf(definitions, records), records)
  return { warehouse, notes }
}

describe('gathering batches', () => {
  it('keeps every message and its place, in batches as large as asked for', async () => {
    const batches = fc.array(fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 6 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 1, max: 20 }), async (all, rows) => {
        const got: Fetched[] = []
        for await (const one of gathered(() => sourceOf(all), { rows, everyMs: 60_000 }, never)) got.push(one)
        expect(got.flatMap(({ batch }) => messagesOf(batch))).toEqual(
          all.flat().map((text) => Buffer.from(text, 'latin1').toString('latin1')),
        )
        expect(got.map(({ offset }) => offset)).toEqual([0, ...got.map(({ next }) => next)].slice(0, got.length))
        for (const { offset, next, batch } of got) expect(next - offset).toBe(batch.ends.length)
        for (const { batch } of got.slice(0, -1)) expect(batch.ends.length).toBeGreaterThanOrEqual(rows)
      }),
    )
  })

  it('lets none wait longer than asked for', async () => {
    const stop = new AbortController()
    for await (const { batch } of gathered(
      (signal) => sourceOf([['a'], ['b']], () => untilAborted(signal)),
      { rows: 100, everyMs: 10 },
      stop.signal,
    )) {
      expect(messagesOf(batch)).toEqual(['a', 'b'])
      stop.abort()
    }
  })

  it('ends the reading when nobody takes any more, and passes a failure on', async () => {
    let ended = false
    const read = (signal: AbortSignal) =>
      sourceOf([['a']], async () => {
        await untilAborted(signal)
        ended = true
      })
    for await (const _ of gathered(read, { rows: 100, everyMs: 5 }, never)) break
    expect(ended).toBe(true)
    const failing = gathered(() => sourceOf([['a']], () => Promise.reject(new Error('torn'))), { rows: 100, everyMs: 60_000 }, never)
    await expect(Array.fromAsync(failing)).rejects.toThrow('torn')
  })

  it('brings the messages of each id together, in their order', () => {
    const framed = (id: number, text: string) => `\x03\x00${String.fromCharCode(id).repeat(16)}${text}`
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.string({ maxLength: 4, unit: 'binary-ascii' }))), (messages) => {
        const runs = runsTogether(batchOf(messages.map(([id, text]) => framed(id, text))))
        expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length)
        for (const { batch, from, to } of runs) {
          const own = messagesOf(batch).slice(from, to)
          const id = own[0]!.charCodeAt(2)
          expect(own).toEqual(messages.filter(([one]) => one === id).map(([, text]) => framed(id, text)))
        }
        expect(runs.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(messages.length)
      }),
    )
  })
})

/** Each row as one line. */
async function linesOf(warehouse: Warehouse, version: number): Promise<Map<number, string>> {
  const lines = new Map<number, string>()
  for await (const rows of warehouse.rows('loan_risk', version, everything)) {
    for (let row = 0; row < rows.count; row++) {
      const cells = [...rows.byName.keys()].sort().map((name) => `${name}=${cell(rows, name, row)}`)
      lines.set(Number(cell(rows, '_seq', row)), cells.join(' | '))
    }
  }
  return lines
}

function cell({ byName }: Columns, name: string, row: number): string | null {
  const column = byName.get(name)!
  if (column.kind === 'text')
    return column.starts[row]! < 0 ? null : Buffer.from(column.bytes.subarray(column.starts[row], column.ends[row])).toString()
  if (column.kind === 'date') return column.days[row] === noDay ? null : String(column.days[row])
  return String(column.values[row])
}

describe('the sink', () => {
  let api: TestDataApi

  beforeAll(async () => {
    api = await startDataApi()
    Object.assign(process.env, api.env)
  })
  afterAll(() => api.stop())

  it(
    'writes into Redshift what it writes into the embedded warehouse, through trouble, in one write a version',
    { timeout: limitMs },
    async () => {
      const file = await generated(4_000)
      const folder = await loansUntil2009(file)
      await done(folder, 'apply loan_risk@1 --shadow --yes')
      await done(folder, `produce --years 2010 --file ${file}`)
      await done(folder, 'up --until-caught-up')
      await withPorts(folder, async (ports) => {
        const { warehouse, notes } = await arrangedAlike(api, ports)
        Object.assign(api.faults, { tooManyActive: 2, loseReplies: 1, conflicts: 1 })
        let [rows, unreadable, writes] = [0, 0, 0]
        const report = (news: { readonly rows: number; readonly unreadable: number }) =>
          void ([rows, unreadable, writes] = [rows + news.rows, unreadable + news.unreadable, writes + 1])
        await sink({ ...ports, warehouse }, { partitionsFor: () => 1, follow: false, signal: never, report, note: () => {} })

        expect([unreadable, writes, await warehouse.progress(reader)]).toEqual([0, 2, await ports.warehouse.progress(reader)])
        let found = 0
        for (const version of [0, 1]) {
          const [there, here] = [await linesOf(warehouse, version), await linesOf(ports.warehouse, version)]
          found += there.size
          for (const [seq, line] of there) expect(line).toBe(here.get(seq))
        }
        expect(found).toBe(rows)
        expect((await warehouse.extent('loan_risk', 1))!.rows).toBeGreaterThan(100)
        expect(notes.at(-1)).toMatch(/: it works again$/)
        await warehouse.close()
      })
    },
  )

  it('ends at once when it is told to while the warehouse is away, and the next one goes on', { timeout: limitMs }, async () => {
    const folder = await loansUntil2009(await generated(2_000))
    await withPorts(folder, async (ports) => {
      const { warehouse, notes } = await arrangedAlike(api, ports)
      const stop = new AbortController()
      const quiet = { report: () => {}, note: () => {} }
      const leaving: Warehouse = {
        ...warehouse,
        flush: { rows: 100_000, everyMs: 50 },
        async write(...words) {
          await api.down()
          return warehouse.write(...words)
        },
      }
      const running = sink({ ...ports, warehouse: leaving }, { partitionsFor: () => 1, follow: true, signal: stop.signal, ...quiet })
      try {
        await expect.poll(() => notes.length, { timeout: 30_000 }).toBe(1)
        stop.abort()
        await running
      } finally {
        await api.up()
      }
      expect(await warehouse.progress(reader)).toBeUndefined()
      await sink({ ...ports, warehouse }, { partitionsFor: () => 1, follow: false, signal: never, ...quiet })
      expect(await warehouse.progress(reader)).toBe(await ports.warehouse.progress(reader))
      await warehouse.close()
    })
  })
})
