/**
 * What a store rests on: its topics, deleted or trimmed under it, and its registry, lost or another one. Nothing is skipped in silence, and
 * there is a way out.
 */
import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openSqlite } from '../utilities/sqlite/database.ts'
import { doctorFinds, done, freshFolder, json, tidemark, warehouseOf } from './cli-run.ts'
import { copyOf, generated, limitMs, loansUntil2009 } from './loan-folders.ts'
import { readRows } from './oracle/compare.ts'

/** As somebody does it who opens the file. */
function drop(folder: string, topic: string): void {
  const db = openSqlite(join(folder, '.tidemark', 'log.db'))
  db.write(() => db.prepare('DELETE FROM partitions WHERE topic = ?').run(topic))
  db.close()
}

const seqs = (folder: string) => readRows(warehouseOf(folder), 'SELECT _seq FROM loan_risk ORDER BY _seq').map(([seq]) => Number(seq))
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

async function refused(folder: string, words: string, says: RegExp) {
  const { code, err } = await tidemark(folder, words)
  expect({ words, code, err }).toEqual({ words, code: 1, err: expect.stringMatching(says) })
}

describe('a store', { timeout: limitMs }, () => {
  let file: string
  let made: string
  /** Of 2007 to 2009, all taken; and of 2007 to 2010. */
  let [taken, all] = [0, 0]
  beforeAll(async () => {
    file = await generated(20_000)
    made = await loansUntil2009(file)
    taken = seqs(made).length
    const more = copyOf(made)
    await done(more, `produce --years 2010 --file ${file}`)
    await done(more, 'up --until-caught-up')
    all = seqs(more).length
  }, limitMs)

  /** With the records of 2010 in inflow, which nobody has taken. */
  async function untaken(): Promise<string> {
    const folder = copyOf(made)
    await done(folder, `produce --years 2010 --file ${file}`)
    return folder
  }

  describe('whose inflow was deleted', () => {
    it('is not gone on with: every command that would names the topic, what is lost, and the way out', async () => {
      const folder = await untaken()
      drop(folder, 'inflow')
      const lost = `${all - taken} records of it \\(_seq ${taken + 1} to ${all}\\) had not been taken by loan_risk`
      const gone = new RegExp(
        `the topic inflow that this store goes on from was deleted: ${lost}\\. .*go on with a new one: tidemark reset inflow --as-it-is`,
      )
      const words = [
        `produce --years 2010 --file ${file}`,
        'consume --until-caught-up',
        'sink --until-caught-up',
        `backfill --years 2010 --file ${file}`,
        'apply loan_risk@1 --yes',
        'verify loan_risk@0',
      ]
      for (const one of words) await refused(folder, one, gone)
      expect((await doctorFinds(folder))['places in topics']).toMatchObject({ state: 'problem', found: expect.stringMatching(lost) })

      await done(folder, 'topics inflow --create')
      await refused(folder, 'consume --until-caught-up', /was deleted, and the one of that name was made since: /)
      expect(await tidemark(folder, 'status')).toMatchObject({ code: 0 })
    })

    it('goes on with an empty one when it is told to, takes what is produced again, and has every row once', async () => {
      const folder = await untaken()
      drop(folder, 'inflow')
      const { code, err } = await tidemark(folder, 'reset inflow --as-it-is')
      expect({ code, err }).toEqual({
        code: 2,
        err: expect.stringMatching(/History before is no longer complete[\s\S]*are lost to it: produce those years again/),
      })
      expect(await json(folder, 'reset inflow --as-it-is --yes')).toEqual({
        topic: 'inflow',
        changed: true,
        lost: [{ set: 'loan_risk', rows: all - taken, first: taken + 1, last: all }],
      })
      expect(await done(folder, 'reset inflow --as-it-is --yes')).toBe('nothing to do: what reads inflow can go on from where it is')
      await done(folder, 'up --until-caught-up')
      await done(folder, `produce --years 2008-2010 --file ${file}`)
      await done(folder, 'up --until-caught-up')
      expect(seqs(folder)).toEqual(upTo(all))
      expect((await json(folder, 'status')).sets[0]).toMatchObject({ duplicates: 0, dead: 0, position: all })
    })

    it('never replays the old from the new: what needs history is refused, and a cold version is not', async () => {
      const folder = await untaken()
      drop(folder, 'inflow')
      await done(folder, 'reset inflow --as-it-is --yes')
      await done(folder, `produce --years 2010 --file ${file}`)
      await done(folder, 'up --until-caught-up')
      await refused(folder, 'verify loan_risk@0', /history is not complete: rows \d+ to \d+ came from an inflow that was deleted since/)
      await refused(folder, 'apply loan_risk@1 --yes', /came from an inflow that was deleted since\. .*--cold/)
      await done(folder, 'apply loan_risk@1 --cold --yes')
      await done(folder, `produce --years 2011 --file ${file}`)
      await done(folder, 'up --until-caught-up')
      expect(seqs(folder)).toEqual(upTo(seqs(folder).length))
    })

    it('and made again, with later records in it, goes on with what it holds, and names what is lost', async () => {
      const folder = await untaken()
      const { rows: later } = await json(folder, `produce --years 2011 --file ${file}`)
      const db = openSqlite(join(folder, '.tidemark', 'log.db'))
      db.write(() => {
        // What stays are the records of 2011, as if they were the first of a topic of its own.
        const { id, next } = db.prepare("SELECT id, next FROM partitions WHERE topic = 'inflow'").get() as { id: number; next: number }
        db.prepare('DELETE FROM batches WHERE partition_id = ? AND offset < ?').run(id, next - later)
        db.prepare('UPDATE batches SET offset = offset - ?1, next = next - ?1 WHERE partition_id = ?2').run(next - later, id)
        db.prepare('UPDATE partitions SET next = ? WHERE id = ?').run(later, id)
        db.prepare("UPDATE topic_ids SET id = 'another' WHERE topic = 'inflow'").run()
      })
      db.close()
      await refused(folder, 'consume --until-caught-up', /was deleted, and the one of that name was made since: /)
      const said = await done(folder, 'reset inflow --as-it-is --yes')
      const lost = `[\\d ]+ produced records \\(_seq ${taken + 1} to ${all}\\) are lost to it`
      expect(said).toMatch(new RegExp(`loan_risk has taken records up to _seq ${taken}, and goes on with _seq ${all + 1}; ${lost}$`))
      await done(folder, 'up --until-caught-up')
      expect((await json(folder, 'status')).sets[0]).toMatchObject({ duplicates: 0, dead: 0 })
      expect(seqs(folder)).toEqual([...upTo(taken), ...upTo(later).map((seq) => all + seq)])
      await refused(folder, `produce --years 2010 --file ${file}`, /lies behind row/)
    })
  })

  it('whose inflow lost records before they were taken says so with a command that goes on', async () => {
    const folder = await untaken()
    const db = openSqlite(join(folder, '.tidemark', 'log.db'))
    const { id, next } = db.prepare("SELECT id, next FROM partitions WHERE topic = 'inflow'").get() as { id: number; next: number }
    db.write(() => {
      db.prepare('DELETE FROM batches WHERE partition_id = ?').run(id)
      db.prepare('UPDATE partitions SET first = next WHERE id = ?').run(id)
    })
    db.close()
    await refused(
      folder,
      'consume --until-caught-up',
      new RegExp(`the records from \\d+ to ${next - 1} were deleted\\. To go on with what it holds: tidemark reset inflow --as-it-is`),
    )
    expect((await doctorFinds(folder))['places in topics']).toMatchObject({
      state: 'problem',
      todo: 'To go on with what it holds: tidemark reset inflow --as-it-is',
    })
    await done(folder, 'reset inflow --as-it-is --yes')
    await done(folder, `produce --years 2010 --file ${file}`)
    await done(folder, 'up --until-caught-up')
    expect(seqs(folder)).toEqual(upTo(all))
  })

  it('whose outflow was deleted says so, names the rows that the warehouse lacks, and goes on', async () => {
    const folder = await untaken()
    await done(folder, 'consume --until-caught-up')
    drop(folder, 'outflow')
    await refused(
      folder,
      'sink --until-caught-up',
      /the topic outflow that this store goes on from was deleted\. .*tidemark reset outflow --as-it-is/,
    )
    expect(await json(folder, 'reset outflow --as-it-is --yes')).toEqual({
      topic: 'outflow',
      changed: true,
      lost: [{ set: 'loan_risk', version: 0, first: taken + 1, last: all }],
    })
    await done(folder, `produce --years 2011 --file ${file}`)
    const { rows } = await json(folder, 'up --until-caught-up')
    expect(seqs(folder).slice(taken, taken + 1)).toEqual([all + 1])
    expect(seqs(folder)).toHaveLength(taken + rows)
  })

  it('whose log was lost is begun anew by what doctor says, and the sink does not take its old place for one in the new outflow', async () => {
    const folder = copyOf(made)
    for (const name of readdirSync(join(folder, '.tidemark')).filter((one) => one.startsWith('log.db')))
      rmSync(join(folder, '.tidemark', name))
    expect((await doctorFinds(folder))['log.db']).toMatchObject({ state: 'problem', todo: 'Run: tidemark apply loan_risk@0' })
    await done(folder, 'apply loan_risk@0 --yes')
    await done(folder, `produce --years 2007-2009 --file ${file}`)
    expect(await json(folder, 'up --until-caught-up')).toMatchObject({ rows: taken, written: taken })
    await done(folder, 'verify loan_risk@0')
  })

  describe('and its registry', () => {
    it('belong together: a store with another registry is refused by every command that works on it', async () => {
      const [folder, other] = [copyOf(made), freshFolder()]
      await done(other, 'apply loan_risk@0 --yes')
      cpSync(join(other, '.tidemark', 'registry.db'), join(folder, '.tidemark', 'registry.db'))
      for (const words of [
        'consume --until-caught-up',
        'sink --until-caught-up',
        `produce --years 2010 --file ${file}`,
        'apply loan_risk@1 --yes',
        'verify loan_risk@0',
        'status',
      ]) {
        await refused(
          folder,
          words,
          /the registry \S+registry\.db on \S+ is not the one that this store was made with|this store belongs to \S+registry\.db on \S+, and the config names \S+registry\.db/,
        )
      }
    })

    it('move together: the place is no matter', async () => {
      const folder = copyOf(made)
      renameSync(join(folder, '.tidemark'), join(folder, 'moved'))
      await done(folder, 'status --data-dir moved')
      await done(folder, 'verify loan_risk@0 --data-dir moved')
    })

    it('of before, where that is not kept, are told apart by the sets that the registry knows', async () => {
      const folder = copyOf(made)
      const db = openSqlite(join(folder, '.tidemark', 'log.db'))
      db.write(() => db.prepare("DELETE FROM checkpoints WHERE name IN ('store', 'topics')").run())
      db.close()
      const stranger = copyOf(folder)
      renameSync(join(stranger, '.tidemark', 'registry.db'), join(stranger, 'registry.db'))
      await refused(stranger, 'status', /this store belongs to the registry that knows loan_risk/)
      await done(folder, 'consume --until-caught-up')
      const kept = readRows(
        join(folder, '.tidemark', 'log.db'),
        "SELECT name, key FROM checkpoints WHERE name IN ('store', 'topics') ORDER BY 1, 2",
      )
      expect(kept.map((row) => row.join(' '))).toEqual(['store registry', 'topics inflow', 'topics outflow'])
    })
  })
})
