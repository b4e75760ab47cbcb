/** Changes of a database as Debezium sends them: in its envelope, or flattened to the row alone; each message tells which. */
import type { Messages } from '../../utilities/feed.ts'
import type { Origin } from './changes.ts'
import type { Gathering, Sight } from './gather.ts'
import { keyReader, typesByField } from './key.ts'
import { envelopeSlots, flatSlots, originReader } from './origin.ts'
import { tellStrangers, type Decode, type Parts } from './plain.ts'
import { sentAs } from './scan.ts'
import type { SentType } from './sent.ts'
import { messageReader } from './sent-message.ts'
import { newShape, want, wantInside } from './shape.ts'

const ops: ReadonlyMap<string, Origin['op'] | 'm'> = new Map((['c', 'u', 'd', 'r', 't', 'm'] as const).map((op) => [op, op]))

const changesAnEvent = 'it changes an event, and an event never changes: make it a table'

export function debeziumDecode({ source, fields, keyFields, avro, notes }: Parts): Decode {
  const isTable = source.key !== null
  const shape = newShape()
  const root = shape.members
  const after = wantInside(shape, root, 'after')
  const before = wantInside(shape, root, 'before')
  const sourceOf = wantInside(shape, root, 'source')
  const op = want(shape, root, 'op')
  const [ddl, tableChanges, heartbeat] = [want(shape, root, 'ddl'), want(shape, root, 'tableChanges'), want(shape, root, 'ts_ms')]
  const flat = { op: want(shape, root, '__op'), deleted: want(shape, root, '__deleted') }
  const originOf = { envelope: originReader(envelopeSlots(shape, sourceOf.members)), flat: originReader(flatSlots(shape)) }
  const slots = {
    after: fields.map(({ name }) => want(shape, after.members, name)),
    afterKey: keyFields.map(({ name }) => want(shape, after.members, name)),
    before: keyFields.map(({ name }) => want(shape, before.members, name)),
    flat: fields.map(({ name }) => want(shape, root, name)),
    flatKey: keyFields.map(({ name }) => want(shape, root, name)),
  }
  const types = { rows: typesByField(fields), keys: typesByField(keyFields) }
  const value = messageReader(shape, { avro, unwraps: true })
  const key = keyReader(keyFields, avro, true)
  const { found } = value
  const { kinds } = found
  /**
   * Whether a message without a value says by itself that its row is gone, as where the transformation makes that of deletions; one behind
   * a deletion says nothing. Undefined until a value was seen.
   */
  let tombstonesTell: boolean | undefined

  const typeOf = (name: string): SentType | undefined => (value.type?.is === 'struct' ? value.type.fields.get(name) : undefined)

  function opAt(slot: number): string | undefined {
    return kinds[slot] === sentAs.text ? found.bytes.latin1Slice(found.starts[slot], found.ends[slot]) : undefined
  }

  function gone(messages: Messages, message: number, into: Gathering, instead: Sight | undefined): void {
    const wrong = key.read(messages, message)
    if (wrong === undefined) into.gone(message, key, instead)
    else if (instead) into.gone(message, instead)
    else into.dead(message, wrong)
  }

  function put(messages: Messages, message: number, into: Gathering, row: Sight, keySlots: readonly number[]): void {
    const lacksKey = keySlots.some((slot) => kinds[slot] === sentAs.absent)
    into.put(message, row, lacksKey && key.read(messages, message) === undefined ? key : undefined)
  }

  function envelope(messages: Messages, message: number, into: Gathering): void {
    tombstonesTell = false
    const told = opAt(op)!
    const known = ops.get(told)
    if (known === undefined) return into.dead(message, `op is ${JSON.stringify(told.slice(0, 60))}, which is none of Debezium's`)
    if (known === 'm') return
    into.origin(message, originOf.envelope(found, { messages, message, op: known }))
    if (known === 't') {
      if (isTable) into.emptied(message)
      return
    }
    const hasBefore = kinds[before.slot] === sentAs.object
    const old: Sight | undefined = hasBefore ? { found, slots: slots.before, types: types.keys(typeOf('before')) } : undefined
    if (known === 'd') {
      if (isTable) gone(messages, message, into, old)
      return
    }
    if (!isTable && known === 'u') return into.dead(message, changesAnEvent)
    if (kinds[after.slot] !== sentAs.object) return into.dead(message, 'it has no row in "after"')
    put(messages, message, into, { found, slots: slots.after, types: types.rows(typeOf('after')) }, slots.afterKey)
    if (known === 'u' && old && isMoved()) into.gone(message, old)
    if (after.members.strangers.length > 0) tellStrangers(notes, after.members)
  }

  /** Where a table's key is not that of the database, a row may leave it and enter under another one in a single change. */
  function isMoved(): boolean {
    return slots.before.some((old, i) => kinds[old]! > sentAs.null && !isSame(old, slots.afterKey[i]!))
  }

  function isSame(slot: number, other: number): boolean {
    const { bytes, starts, ends } = found
    return bytes.compare(bytes, starts[other]!, ends[other]!, starts[slot]!, ends[slot]!) === 0
  }

  function flattened(messages: Messages, message: number, into: Gathering): void {
    tombstonesTell = kinds[flat.deleted] === sentAs.absent
    const isDeleted = kinds[flat.deleted] === sentAs.true || opAt(flat.deleted) === 'true'
    const known = isDeleted ? 'd' : ops.get(opAt(flat.op) ?? '')
    if (known === 'm') return
    if (known !== undefined) into.origin(message, originOf.flat(found, { messages, message, op: known }))
    if (known === 't') {
      if (isTable) into.emptied(message)
      return
    }
    if (known === 'd') {
      if (isTable) gone(messages, message, into, { found, slots: slots.flatKey, types: types.keys(value.type) })
      return
    }
    if (!isTable && known === 'u') return into.dead(message, changesAnEvent)
    put(messages, message, into, { found, slots: slots.flat, types: types.rows(value.type) }, slots.flatKey)
    if (root.strangers.length > 0) tellStrangers(notes, root, (name) => !name.startsWith('__'))
  }

  function withoutValue(messages: Messages, message: number, into: Gathering): void {
    for (let next = message + 1; tombstonesTell === undefined && next < messages.count; next++) {
      if (messages.values.starts[next]! < 0 || value.read(messages.values, next) !== undefined || kinds[0] !== sentAs.object) continue
      tombstonesTell = !isEnvelope() && kinds[flat.deleted] === sentAs.absent
    }
    if (isTable && tombstonesTell !== false && key.read(messages, message) === undefined) into.gone(message, key)
  }

  const isEnvelope = () => kinds[op] === sentAs.text && kinds[sourceOf.slot] === sentAs.object

  return (messages, message, into) => {
    if (messages.values.starts[message]! < 0) return withoutValue(messages, message, into)
    const wrong = value.read(messages.values, message)
    if (wrong !== undefined) return into.dead(message, wrong)
    if (kinds[0] === sentAs.null) return withoutValue(messages, message, into)
    if (kinds[0] !== sentAs.object) return into.dead(message, 'it is not an object')
    if (isEnvelope()) return envelope(messages, message, into)
    if (slots.flat.some((slot) => kinds[slot] !== sentAs.absent)) return flattened(messages, message, into)
    const isChangeOfSchema =
      kinds[sourceOf.slot] === sentAs.object && (kinds[ddl] !== sentAs.absent || kinds[tableChanges] !== sentAs.absent)
    const isHeartbeat = kinds[heartbeat] !== sentAs.absent && kinds[op] === sentAs.absent && kinds[sourceOf.slot] === sentAs.absent
    if (!isChangeOfSchema && !isHeartbeat) into.dead(message, 'it is not a change as Debezium sends them, and has none of the fields')
  }
}
