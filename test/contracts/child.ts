/** What a child process of the tests does, by its first argument; it says each step on standard output once it is done. */
import { openSync, writeSync } from 'node:fs'
import { devNull } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbeddedCheckpoints } from '../../utilities/sqlite/checkpoints.ts'
import { takeLease } from '../../utilities/sqlite/lease.ts'
import { openEmbeddedLog } from '../../utilities/sqlite/log.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { fileSource } from '../../utilities/files/source.ts'
import { openEmbeddedWarehouse } from '../../utilities/sqlite/warehouse/warehouse.ts'
import { columnsFrom, layoutOf, plainRows } from './loan-rows.ts'
import { batchOf, numbered } from './messages.ts'

const say = (line: string | number) => void writeSync(1, `${line}\n`)

const jobs: { readonly [job: string]: (path: string, detail: string) => Promise<void> } = {
  /** Counts on from its checkpoint, three messages a commit, until it is killed; says how far it has come. */
  async count(path) {
    const log = openEmbeddedLog(path)
    await log.create('numbers', 1)
    const writer = await log.writer('counter')
    const saved = (await openEmbeddedCheckpoints(path).load('counter')).get('')
    for (let next = Number(new TextDecoder().decode(saved)); ; next += 3) {
      const batch = batchOf([next, next + 1, next + 2].map(String))
      const value = new TextEncoder().encode(String(next + 3))
      await writer.commit({ append: [{ topic: 'numbers', partition: 0, batch }], save: [{ name: 'counter', key: '', value }] })
      say(next + 3)
    }
  },

  /** Fills a topic of its own, next to others that do the same to the same file. */
  async fill(path, topic) {
    const log = openEmbeddedLog(path)
    await log.create(topic, 1)
    const writer = await log.writer(topic)
    for (const text of numbered(topic, 40)) await writer.commit({ append: [{ topic, partition: 0, batch: batchOf([text]) }] })
    await log.close()
  },

  /** Writes rows a hundred at a time, until it is killed; says the last `_seq`. */
  async rows(path) {
    const warehouse = openEmbeddedWarehouse(path)
    await warehouse.arrange(layoutOf(0, [0]), [])
    for (let next = (await warehouse.progress('child')) ?? 1; ; next += 100) {
      await warehouse.write('loan', columnsFrom(plainRows(0, next, next + 99)), { reader: 'child', next: next + 100 })
      say(next + 99)
    }
  },

  /** Promotes version 1 and rolls back to version 0 again and again, until it is killed. */
  async flip(path) {
    const warehouse = openEmbeddedWarehouse(path)
    for (let i = 0; ; i++) {
      await warehouse.arrange(layoutOf(1, i % 2 ? [0] : [1, 0]), [])
      say(i)
      await sleep(1)
    }
  },

  /** Takes the lease and keeps it until it is killed. */
  async hold(dir, name) {
    await takeLease(dir, name, 'tidemark consume')
    say('held')
    await sleep(60_000)
  },

  /** Tries to write in the directory as a user who may not. */
  async intrude(path) {
    if (process.getuid!() === 0) process.setuid!(65534)
    try {
      await openEmbeddedLog(path).create('inflow', 1)
      say('written')
    } catch (error) {
      say(error instanceof Problem ? error.message : `not a Problem: ${String(error)}`)
    }
  },

  /** Opens as many files as it may, and then wants one more: of the log, and of a source. */
  async crowd(path, source) {
    try {
      for (;;) openSync(devNull, 'r')
    } catch {
      const refused = (error: unknown) => say(error instanceof Problem ? error.message : `not a Problem: ${String(error)}`)
      await Promise.resolve()
        .then(() => openEmbeddedLog(path))
        .catch(refused)
      await fileSource(source).identify().catch(refused)
    }
  },
}

const [job = '', path = '', detail = ''] = process.argv.slice(2)
await jobs[job]!(path, detail)
