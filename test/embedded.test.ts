/** The embedded adapters against their contracts, and what is special to files that processes share. */
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openEmbeddedCheckpoints } from '../utilities/sqlite/checkpoints.ts'
import { openEmbeddedLog } from '../utilities/sqlite/log.ts'
import { Fenced, NoTopic, type Fetched } from '../utilities/log.ts'
import { openEmbeddedRegistry } from '../utilities/sqlite/registry.ts'
import type { Incompatibility } from '../utilities/registry.ts'
import { openSqlite } from '../utilities/sqlite/database.ts'
import { openEmbeddedWarehouse } from '../utilities/sqlite/warehouse/warehouse.ts'
import { checkpointContract } from './contracts/checkpoint-contract.ts'
import { columnsFrom, layoutOf, plainRows } from './contracts/loan-rows.ts'
import { logContract } from './contracts/log-contract.ts'
import { batchOf, numbered, readTexts } from './contracts/messages.ts'
import { newDirectory, nextLine, remainingLines, startChild } from './contracts/processes.ts'
import { registryContract } from './contracts/registry-contract.ts'
import { warehouseContract } from './contracts/warehouse-contract.ts'

/** The rule of backward compatibility that the contract's schemas are about: a new field needs a default. */
const newFieldsNeedDefaults: Incompatibility = (definition, earlier) => {
  type Schema = { readonly fields: readonly { readonly name: string; readonly default?: unknown }[] }
  const fields = (text: string) => (JSON.parse(text) as Schema).fields
  return earlier.flatMap((old) =>
    fields(definition)
      .filter((field) => !('default' in field) && !fields(old).some(({ name }) => name === field.name))
      .map(({ name }) => `field ${name} is new and has no default`),
  )
}

const inNewDirectory =
  <Store extends object>(store: (dir: string) => Store) =>
  async () => {
    const { dir, remove } = newDirectory()
    return { ...store(join(dir, 'data')), dispose: async () => remove() }
  }
const logStore = (dir: string) => ({
  log: async () => openEmbeddedLog(join(dir, 'log.db')),
  drop: async (topic: string) => {
    const db = openSqlite(join(dir, 'log.db'))
    db.write(() => db.prepare('DELETE FROM partitions WHERE topic = ?').run(topic))
    db.close()
  },
  checkpoints: async () => {
    const checkpoints = openEmbeddedCheckpoints(join(dir, 'log.db'))
    onTestFinished(checkpoints.close)
    return checkpoints
  },
})

logContract('embedded', inNewDirectory(logStore))
checkpointContract('embedded', inNewDirectory(logStore))
registryContract(
  'embedded',
  inNewDirectory((dir) => ({ registry: async () => openEmbeddedRegistry(join(dir, 'registry.db'), newFieldsNeedDefaults) })),
)
warehouseContract(
  'embedded',
  inNewDirectory((dir) => ({ warehouse: async () => openEmbeddedWarehouse(join(dir, 'warehouse.db')) })),
)

function testDirectory(): string {
  const { dir, remove } = newDirectory()
  onTestFinished(remove)
  return dir
}

function testWarehouse() {
  const dir = testDirectory()
  const warehouse = openEmbeddedWarehouse(join(dir, 'warehouse.db'))
  onTestFinished(warehouse.close)
  return { dir, warehouse }
}

function testLog(dir = testDirectory()) {
  const log = openEmbeddedLog(join(dir, 'log.db'))
  onTestFinished(log.close)
  return { path: join(dir, 'log.db'), log }
}

describe('processes that share the files', { timeout: 60_000 }, () => {
  it('a committer that is killed loses nothing it acknowledged, and its checkpoint is the end of the log', async () => {
    const { path, log } = testLog()
    await log.create('numbers', 1)
    const checkpoints = openEmbeddedCheckpoints(path)
    onTestFinished(checkpoints.close)
    let reached = 0
    for (const lines of [1, 2, 9, 40, 17, 77]) {
      const child = startChild('count', path)
      for (let line = 0; line < lines; line++) reached = Number(await nextLine(child))
      // Wherever it is by now: between two commits, or in the middle of one.
      child.process.kill('SIGKILL')
      await child.ended
      for (const line of await remainingLines(child)) reached = Number(line)
      const texts = await readTexts(log, 'numbers')
      expect(texts).toEqual(numbered('', texts.length))
      expect(texts.length).toBeGreaterThanOrEqual(reached)
      expect(texts.length).toBeLessThanOrEqual(reached + 3)
      expect(new TextDecoder().decode((await checkpoints.load('counter')).get(''))).toBe(String(texts.length))
    }
  })

  it('messages and checkpoint of a commit are seen at the same moment from another process', async () => {
    const { path, log } = testLog()
    await log.create('numbers', 1)
    const checkpoints = openEmbeddedCheckpoints(path)
    onTestFinished(checkpoints.close)
    const child = startChild('count', path)
    await nextLine(child)
    const saved = async () => Number(new TextDecoder().decode((await checkpoints.load('counter')).get('')))
    const end = async () => (await log.topics())[0]!.partitions[0]!.next
    for (let look = 0; look < 2000; look++) {
      const [endBefore, savedThen, endAfter] = [await end(), await saved(), await end()]
      // Whatever was committed in between, neither may run ahead of the other.
      expect(savedThen).toBeGreaterThanOrEqual(endBefore)
      expect(endAfter).toBeGreaterThanOrEqual(savedThen)
    }
    expect(await end()).toBeGreaterThan(3)
  })

  it('a sink that is killed has its progress exactly where its rows end', async () => {
    const { dir, warehouse } = testWarehouse()
    for (const lines of [1, 5, 30]) {
      const child = startChild('rows', join(dir, 'warehouse.db'))
      let reached = 0
      for (let line = 0; line < lines; line++) reached = Number(await nextLine(child))
      await child.kill()
      for (const line of await remainingLines(child)) reached = Number(line)
      const last = (await warehouse.progress('child'))! - 1
      expect(last).toBeGreaterThanOrEqual(reached)
      expect(await warehouse.extent('loan', 0)).toEqual({ rows: last, first: 1, last })
    }
  })

  it('rows and progress of a write are seen at the same moment from another process', async () => {
    const { dir, warehouse } = testWarehouse()
    const child = startChild('rows', join(dir, 'warehouse.db'))
    await nextLine(child)
    const ends = new Set<unknown>()
    for (let look = 0; look < 1000; look++) {
      const { rows } = await warehouse.query('SELECT (SELECT max(_seq) FROM loan_v0), (SELECT next_offset - 1 FROM tidemark_progress)')
      expect(rows[0]![0]).toBe(rows[0]![1])
      ends.add(rows[0]![0])
    }
    expect(ends.size).toBeGreaterThan(1)
  })

  it('several may open a fresh file at the same moment and fill topics of their own', async () => {
    const dir = testDirectory()
    const path = join(dir, 'new', 'log.db')
    const topics = numbered('topic', 4)
    const errors = await Promise.all(topics.map((topic) => startChild('fill', path, topic).ended))
    expect(errors).toEqual(topics.map(() => ''))
    const log = openEmbeddedLog(path)
    onTestFinished(log.close)
    for (const topic of topics) expect(await readTexts(log, topic)).toEqual(numbered(topic, 40))
  })

  it('commits what is large as it commits what is small: in order, all of it or nothing, and by whoever holds the name', async () => {
    const { path, log } = testLog()
    await log.create('inflow', 1)
    const checkpoints = openEmbeddedCheckpoints(path)
    onTestFinished(checkpoints.close)
    const writer = await log.writer('w')
    const value = (text: string) => new TextEncoder().encode(text)
    const many = Array.from({ length: 10_000 }, (_, i) => ({ name: `n${i % 2}`, key: `k${i % 4_000}`, value: value(`${i}`) }))
    const append = { topic: 'inflow', partition: 0, batch: batchOf(['a', 'b']) }
    const gone = ['k1', 'k3'].map((key) => ({ name: 'n1', key, value: null }))
    expect(await writer.commit({ append: [append], save: [...many, ...gone, { name: 'n1', key: 'k3', value: value('again') }] })).toEqual([
      0,
    ])
    const held = await checkpoints.load('n1')
    expect(held.size).toBe(1_999)
    expect(['k1', 'k3', 'k5', 'k3999'].map((key) => held.get(key) && Buffer.from(held.get(key)!).toString())).toEqual([
      undefined,
      'again',
      '8005',
      '7999',
    ])
    await expect(writer.commit({ append: [{ ...append, topic: 'nowhere' }], save: many })).rejects.toThrow(NoTopic)
    expect(await writer.commit({ append: [append, append] })).toEqual([2, 4])
    await log.writer('w')
    await expect(writer.commit({ append: [append], save: many })).rejects.toThrow(Fenced)
    expect(await readTexts(log, 'inflow')).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  })

  it('a reader never sees a gap or a mix while another process promotes and rolls back', async () => {
    const { dir, warehouse } = testWarehouse()
    await warehouse.arrange(layoutOf(1, [0]), [])
    await warehouse.write('loan', columnsFrom([...plainRows(0, 1, 200), ...plainRows(1, 1, 200)]))
    const child = startChild('flip', join(dir, 'warehouse.db'))
    const seen = new Set<string>()
    let flipping = true
    const flips = (async () => {
      for (let i = 0; i < 60; i++) await nextLine(child)
    })().finally(() => (flipping = false))
    while (flipping) {
      const { rows } = await warehouse.query('SELECT count(*), min(_version), max(_version), count(DISTINCT _seq) FROM loan')
      seen.add(rows[0]!.join(' '))
      await new Promise((next) => setImmediate(next))
    }
    await flips
    await child.kill()
    expect([...seen].sort()).toEqual(['200 0 0 200', '200 1 1 200'])
  })

  it('a reader is not held up by a writer in the middle of its transaction, and sees none of it', async () => {
    const { path, log } = testLog()
    await log.create('inflow', 1)
    const writer = await log.writer('w')
    await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['before']) }] })
    const other = openSqlite(path)
    onTestFinished(() => other.close())
    other.exec(`BEGIN IMMEDIATE; UPDATE partitions SET next = 99; DELETE FROM batches`)
    expect(await readTexts(log, 'inflow')).toEqual(['before'])
    other.exec('ROLLBACK')
  })
})

describe('the embedded log', { timeout: 60_000 }, () => {
  it('yields a stored batch as it was appended, and a part of one without copying its bytes', async () => {
    const { log } = testLog()
    await log.create('inflow', 1)
    const writer = await log.writer('w')
    for (const texts of [numbered('a', 3), numbered('b', 2)])
      await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(texts) }] })
    const fetched: Fetched[] = []
    for await (const one of log.read('inflow', { partition: 0, from: 1, to: 4 })) fetched.push(one)
    expect(fetched.map(({ offset, next, batch }) => [offset, next, [...batch.ends]])).toEqual([
      [1, 3, [2, 4]],
      [3, 4, [2]],
    ])
    expect(fetched.map(({ batch }) => batch.bytes.buffer.byteLength)).toEqual([6, 4])
  })

  it('deletes in steps when there is much to delete, and counts the bytes that are left', async () => {
    const { log } = testLog()
    await log.create('inflow', 1)
    const writer = await log.writer('w')
    for (let i = 0; i < 150; i++) await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['12345', '67']) }] })
    await log.truncate('inflow', 0, 281)
    expect(await log.topics()).toEqual([{ topic: 'inflow', partitions: [{ first: 281, next: 300 }], bytes: 9 * 7 + 2 }])
  })
})
