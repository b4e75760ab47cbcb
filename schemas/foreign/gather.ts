/** Gathers what the messages of a batch say into rows, keys that are gone, and messages that cannot be taken. */
import { says, type Changes, type Origin } from './changes.ts'
import { columnsOf, dropRow, keepRow, newDraft, putNull, type Draft, type DraftColumn } from './draft.ts'
import type { ForeignField } from './fields.ts'
import type { Notes } from './notes.ts'
import { putSent } from './put.ts'
import { sentAs, type Found } from './scan.ts'
import type { SentType } from './sent.ts'
import { isUnsent } from './unsent.ts'

/** Of each field the slot that it lies in, and what a schema says of it. */
export type Sight = { readonly found: Found; readonly slots: readonly number[]; readonly types: readonly (SentType | undefined)[] }

export type Gathering = {
  /** `key` has fields of the key where the row lacks them. */
  put(message: number, sight: Sight, key?: Sight): void
  /** The key's fields as the first of these has them, or else the second. */
  gone(message: number, key: Sight, instead?: Sight): void
  emptied(message: number): void
  dead(message: number, reason: string): void
  origin(message: number, origin: Origin): void
  changes(notes: readonly string[]): Changes
}

type Of = {
  readonly fields: readonly ForeignField[]
  readonly keyFields: readonly ForeignField[]
  /** Of each field its place in the key, -1 where it is not of the key. */
  readonly keyPlaces: readonly number[]
  readonly notes: Notes
  readonly lacks: (field: ForeignField) => string
}

export function gathering({ fields, keyFields, keyPlaces, notes, lacks }: Of, count: number): Gathering {
  const rows = newDraft(fields, count)
  const goneKeys = newDraft(keyFields, keyFields.length === 0 ? 0 : count)
  const said = new Uint8Array(count)
  const put = new Int32Array(count)
  const goneBy = new Int32Array(goneKeys.columns.length === 0 ? 0 : count)
  const unsent = new Map<number, readonly string[]>()
  const dead: { readonly message: number; readonly reason: string }[] = []
  const origins = new Array<Origin | undefined>(count).fill(undefined)

  function kill(message: number, reason: string): void {
    said[message] = says.dead
    dead.push({ message, reason })
  }

  function refuse(draft: Draft, message: number, { of }: DraftColumn, misfit: string): void {
    dropRow(draft)
    if (of.learnt.fitted) notes.once(`misfit ${of.own}`, () => `values of ${of.own} fit no more (${misfit}): ${aboutMisfits}`)
    kill(message, misfit)
  }

  return {
    put(message, { found, slots, types }, key) {
      let kept: string[] | undefined
      let lacking: ForeignField[] | undefined
      for (let i = 0; i < rows.columns.length; i++) {
        const column = rows.columns[i]!
        const slot = slots[i]!
        const { kinds } = found
        const { of } = column
        let misfit: string | undefined
        if (kinds[slot] === sentAs.absent) {
          const place = keyPlaces[i]!
          if (key && place >= 0) misfit = putSent(rows, column, key.found, key.slots[place]!, key.types[place])
          else {
            misfit = putSent(rows, column, found, slot, undefined)
            ;(lacking ??= []).push(of)
          }
        } else if (of.ofDatabase && kinds[slot]! >= sentAs.text && isUnsent(found, slot)) {
          ;(kept ??= []).push(of.own)
          putNull(column, rows.count)
        } else misfit = putSent(rows, column, found, slot, types[i])
        if (misfit !== undefined) return refuse(rows, message, column, misfit)
      }
      if (kept) unsent.set(rows.count, kept)
      put[rows.count] = message
      said[message] = says.put
      keepRow(rows)
      if (lacking) for (const of of lacking) notes.once(`lacks ${of.own}`, () => lacks(of))
    },
    gone(message, key, instead) {
      for (let i = 0; i < goneKeys.columns.length; i++) {
        const column = goneKeys.columns[i]!
        const { found, slots, types } = instead && key.found.kinds[key.slots[i]!]! <= sentAs.null ? instead : key
        const misfit = putSent(goneKeys, column, found, slots[i]!, types[i])
        if (misfit !== undefined) return refuse(goneKeys, message, column, misfit)
      }
      goneBy[goneKeys.count] = message
      if (said[message] === says.nothing) said[message] = says.gone
      keepRow(goneKeys)
    },
    emptied(message) {
      said[message] = says.emptied
    },
    dead: kill,
    origin(message, origin) {
      origins[message] = origin
    },
    changes: (told) => ({
      said,
      rows: columnsOf(rows),
      put: put.slice(0, rows.count),
      gone: columnsOf(goneKeys),
      goneBy: goneBy.slice(0, goneKeys.count),
      unsent,
      dead,
      origins,
      notes: told,
    }),
  }
}

const aboutMisfits = 'such messages go to the dead letters. Where the source has changed the column, change the field'
