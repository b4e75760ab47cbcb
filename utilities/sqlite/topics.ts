/**
 * How topics lie in SQLite: a batch of messages is one row, under the offset of its first message. Each function runs inside a transaction.
 */
import { randomUUID } from 'node:crypto'
import { Problem } from '../values/problem.ts'
import type { Sqlite } from './database.ts'
import { cut } from '../values/batch.ts'
import { NoTopic, type Append, type Batch, type Fetched, type TopicState } from '../log.ts'

export const logTables = {
  partitions: `CREATE TABLE partitions (
  id INTEGER PRIMARY KEY,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  first INTEGER NOT NULL,
  next INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (topic, partition)
)`,
  topic_ids: 'CREATE TABLE topic_ids (topic TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID',
  // The blobs come last: the numbers before them are read without touching the pages of a large batch.
  batches: `CREATE TABLE batches (
  partition_id INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  next INTEGER NOT NULL,
  ends BLOB NOT NULL,
  keys TEXT,
  bytes BLOB NOT NULL,
  PRIMARY KEY (partition_id, offset)
)`,
}

type Partition = { readonly id: number; readonly first: number; readonly next: number; readonly bytes: number }
type Stored = { readonly offset: number; readonly next: number; readonly batch: Batch }

export function createTopic(db: Sqlite, topic: string, partitions: number): void {
  if (!Number.isSafeInteger(partitions) || partitions < 1) throw new RangeError(`topic ${topic}: ${partitions} partitions`)
  const existing = partitionCount(db, topic)
  if (existing === partitions) return
  if (existing > 0) {
    throw new Problem(`topic ${topic} has ${counted(existing)}, not ${partitions}`, 'Use it as it is, or choose another data directory.')
  }
  const insert = db.prepare('INSERT INTO partitions (topic, partition, first, next, bytes) VALUES (?, ?, 0, 0, 0)')
  for (let partition = 0; partition < partitions; partition++) insert.run(topic, partition)
  // One that was deleted by other means may have left its own behind.
  db.prepare('INSERT OR REPLACE INTO topic_ids (topic, id) VALUES (?, ?)').run(topic, randomUUID())
}

/** undefined when the topic is not there; null when it was made before topics had one. */
export function storedTopicId(db: Sqlite, topic: string): string | null | undefined {
  const found = 'SELECT (SELECT id FROM topic_ids WHERE topic = partitions.topic) AS id FROM partitions WHERE topic = ? LIMIT 1'
  const row = db.prepare(found).get(topic)
  return row?.['id'] as string | null | undefined
}

export function giveTopicId(db: Sqlite, topic: string): string {
  db.prepare('INSERT OR IGNORE INTO topic_ids (topic, id) VALUES (?, ?)').run(topic, randomUUID())
  return storedTopicId(db, topic)!
}

export function listTopics(db: Sqlite): TopicState[] {
  const rows = db.prepare('SELECT topic, first, next, bytes FROM partitions ORDER BY topic, partition').all()
  const byTopic = Map.groupBy(rows as unknown as readonly (Partition & { readonly topic: string })[], ({ topic }) => topic)
  return [...byTopic].map(([topic, parts]) => ({
    topic,
    partitions: parts.map(({ first, next }) => ({ first, next })),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  }))
}

/** Returns the offset of its first message. */
export function appendBatch(db: Sqlite, { topic, partition, batch }: Append): number {
  const { id, next, bytes } = partitionOf(db, topic, partition)
  const count = batch.ends.length
  if (batch.keys && batch.keys.length !== count) throw new TypeError(`topic ${topic}: ${count} messages with ${batch.keys.length} keys`)
  if (count === 0) return next
  const size = batch.ends[count - 1]!
  if (size > batch.bytes.length) throw new TypeError(`topic ${topic}: messages end at ${size} of ${batch.bytes.length} bytes`)
  insertBatch(db, id, next, batch)
  db.prepare('UPDATE partitions SET next = ?, bytes = ? WHERE id = ?').run(next + count, bytes + size, id)
  return next
}

/** What the stored batch around the offset holds from there on; undefined at the end. */
export function fetchAt(db: Sqlite, topic: string, partition: number, offset: number, to: number): Fetched | undefined {
  const { id, first, next } = partitionOf(db, topic, partition)
  const place = `topic ${topic}, partition ${partition}`
  if (offset < first) {
    throw new Problem(`${place}: the records from ${offset} to ${first - 1} were deleted`, goOn(topic))
  }
  if (offset > next) {
    throw new Problem(`${place} ends at ${next}, before ${offset}, where reading should go on`, goOn(topic))
  }
  return offset === next ? undefined : cutStored(storedAt(db, id, offset), offset, to)
}

/** Deletes a few batches, the oldest first; true when there is nothing more to delete. */
export function truncateSome(db: Sqlite, topic: string, partition: number, before: number): boolean {
  const { id, first, next, bytes } = partitionOf(db, topic, partition)
  if (before > next)
    throw new Problem(`topic ${topic}, partition ${partition} ends at ${next}, before ${before}`, `Delete up to ${next} at most.`)
  if (before <= first) return true
  const oldest = db
    .prepare('SELECT next, length(bytes) AS size FROM batches WHERE partition_id = ? AND offset < ? ORDER BY offset LIMIT 64')
    .all(id, before) as unknown as readonly { readonly next: number; readonly size: number }[]
  const last = oldest.at(-1)!
  const end = Math.min(before, last.next)
  // The last of them may reach beyond: what it holds from there on stays, under its own offset.
  const kept = end < last.next ? cutStored(storedAt(db, id, end), end, last.next).batch : undefined
  db.prepare('DELETE FROM batches WHERE partition_id = ? AND offset < ?').run(id, end)
  if (kept) insertBatch(db, id, end, kept)
  const deleted = oldest.reduce((sum, { size }) => sum + size, 0) - (kept?.ends.at(-1) ?? 0)
  db.prepare('UPDATE partitions SET first = ?, bytes = ? WHERE id = ?').run(end, bytes - deleted, id)
  return end === before
}

const goOn = (topic: string) => `To go on with what it holds: tidemark reset ${topic} --as-it-is`

function insertBatch(db: Sqlite, partitionId: number, offset: number, { bytes, ends, keys }: Batch): void {
  const insert = db.prepare('INSERT INTO batches (partition_id, offset, next, ends, keys, bytes) VALUES (?, ?, ?, ?, ?, ?)')
  const endBytes = new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength)
  insert.run(partitionId, offset, offset + ends.length, endBytes, keys ? JSON.stringify(keys) : null, bytes.subarray(0, ends.at(-1)!))
}

/** The batch that holds the offset, which must be one of the partition's. */
function storedAt(db: Sqlite, partitionId: number, offset: number): Stored {
  const columns = 'offset, next, ends, keys, bytes'
  const find = db.prepare(`SELECT ${columns} FROM batches WHERE partition_id = ? AND offset <= ? ORDER BY offset DESC LIMIT 1`)
  const found = find.get(partitionId, offset) as unknown as StoredRow | undefined
  if (!found || found.next <= offset)
    throw new Problem(
      `the log lacks records from ${offset} on that it had: somebody changed its file`,
      'Put the data directory back from a copy.',
    )
  const { offset: start, next, ends, keys, bytes } = found
  const endNumbers = new Uint32Array(ends.buffer, ends.byteOffset, ends.length / 4)
  return { offset: start, next, batch: { bytes, ends: endNumbers, ...(keys !== null && { keys: JSON.parse(keys) as string[] }) } }
}

type StoredRow = {
  readonly offset: number
  readonly next: number
  readonly ends: Uint8Array
  readonly keys: string | null
  readonly bytes: Uint8Array
}

function cutStored({ offset, next, batch }: Stored, from: number, to: number): Fetched {
  const stop = Math.min(to, next)
  return { offset: from, next: stop, batch: cut(batch, from - offset, stop - offset) }
}

function partitionOf(db: Sqlite, topic: string, partition: number): Partition {
  const row = db.prepare('SELECT id, first, next, bytes FROM partitions WHERE topic = ? AND partition = ?').get(topic, partition)
  if (row) return row as unknown as Partition
  const count = partitionCount(db, topic)
  if (count > 0)
    throw new Problem(`topic ${topic} has no partition ${partition}, only ${counted(count)}, numbered from 0`, 'Use one that is there.')
  throw new NoTopic(`there is no topic ${topic}`)
}

/** 0 when the topic is not there. */
export const partitionCount = (db: Sqlite, topic: string) =>
  db.prepare('SELECT count(*) AS count FROM partitions WHERE topic = ?').get(topic)!['count'] as number

const counted = (partitions: number) => `${partitions} partition${partitions === 1 ? '' : 's'}`
