/** The embedded log: topics in one SQLite file, shared by any number of processes. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { checkpointTables } from './checkpoints.ts'
import { commitTo } from './commit.ts'
import { openSqlite, type Sqlite } from './database.ts'
import type { Log, Writer } from '../log.ts'
import { createTopic, fetchAt, giveTopicId, listTopics, logTables, partitionCount, storedTopicId, truncateSome } from './topics.ts'
import { allPartitions, waitingRead } from '../running/waiting-read.ts'

const writerTables = {
  writers: `CREATE TABLE writers (
  name TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL
) WITHOUT ROWID`,
}

const pollMs = 20

export function openEmbeddedLog(path: string, { readOnly = false } = {}): Log {
  const db = openSqlite(path, { readOnly, tables: { ...logTables, ...writerTables, ...checkpointTables } })
  return {
    gapless: true,
    create: async (topic, partitions) => db.write(() => createTopic(db, topic, partitions)),
    topics: async () => db.read(() => listTopics(db)),
    partitions: async (topic) => db.read(() => partitionCount(db, topic)),
    topicId: async (topic) => {
      const id = db.read(() => storedTopicId(db, topic))
      return id === null ? db.write(() => giveTopicId(db, topic)) : id
    },
    largestMessage: async () => Infinity,
    read: (topic, options) =>
      waitingRead(options, {
        fetch: (offset, to) => db.read(() => fetchAt(db, topic, options.partition, offset, to)),
        more: (signal) => sleep(pollMs, undefined, signal && { signal }).catch(() => undefined),
      }),
    share: (topic, _, signal) =>
      allPartitions(
        db.read(() => partitionCount(db, topic)),
        signal,
      ),
    writer: async (name) => takeWriter(db, name),

    async truncate(topic, partition, before) {
      while (!db.write(() => truncateSome(db, topic, partition, before))) await nextTurn()
    },

    async close() {
      db.close()
    },
  }
}

function takeWriter(db: Sqlite, name: string): Writer {
  const take = 'INSERT INTO writers (name, epoch) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1 RETURNING epoch'
  const epoch = db.write(() => db.prepare(take).get(name)!['epoch']) as number
  let closed = false
  return {
    async commit({ append = [], save = [] }) {
      if (closed) throw new TypeError(`the writer ${name} is closed`)
      const offsets = commitTo(db, { writer: { name, epoch }, append, save })
      // All of it is synchronous: a caller that commits in a loop would never let a timer or a signal in.
      await nextTurn()
      return offsets
    },
    async close() {
      closed = true
    },
  }
}
