/**
 * A column while its row group fills: each different value once with an index for every row, or, where that does not pay, the values as
 * they come.
 */
import type { Column } from '../values/columns.ts'
import { grown } from './bytes.ts'
import { bitsFor } from './hybrid.ts'

export interface Gathering {
  /** Rows behind those before. */
  append(column: Column, from: number, end: number): void
  /** What the values would take as they come. */
  plainBytes(): number
  /** The rows since the last time; good until the next `append`, which begins anew. */
  gathered(): Gathered
  /** What was learnt of the column: another file begins, which must not depend on this one. */
  forget(): void
}

export type Gathered = {
  readonly rows: number
  /** Rows that are not null. */
  readonly count: number
  /** 0 for a row that is null, else 1. */
  readonly present: Int32Array
  /** As Parquet has them: the different ones in order of appearance when there are `indexes`, else all. */
  readonly values: Uint8Array
  /** Whether all are of one length, which does not stand before each. */
  readonly fixed?: true
  readonly byIndex: { readonly indexes: Int32Array; readonly entries: number } | undefined
  /** Where they are in the values: for those that have them. */
  readonly least: Uint8Array | undefined
  readonly most: Uint8Array | undefined
}

/** Which rows of a group are null. Every row counts as present until told otherwise. */
export type Presence = { flags: Int32Array; rows: number; nulls: number }

const newPresence = (): Presence => ({ flags: new Int32Array(0), rows: 0, nulls: 0 })

export function roomForRows(presence: Presence, more: number): void {
  const before = presence.flags.length
  presence.flags = grown(presence.flags, before, presence.rows + more)
  if (presence.flags.length > before) presence.flags.fill(1, before)
}

function clearPresence(presence: Presence): void {
  if (presence.nulls > 0) presence.flags.fill(1, 0, presence.rows)
  presence.rows = 0
  presence.nulls = 0
}

/** Which value has which index, found by its hash; the values themselves lie with their kind. */
type Dictionary = {
  /**
   * Index + 1 by hash, 0 for none. Most are free: the first look decides then, and what a processor can foresee is done three times as
   * fast.
   */
  slots: Int32Array
  hashes: Int32Array
  entries: number
}

const newDictionary = (): Dictionary => ({ slots: new Int32Array(64), hashes: new Int32Array(8), entries: 0 })

/** Gives the next index to what has this hash and was not found up to this free slot. */
export function addEntry(dictionary: Dictionary, hash: number, slot: number): number {
  const index = dictionary.entries++
  dictionary.hashes[index] = hash
  dictionary.slots[slot] = index + 1
  if (dictionary.entries === dictionary.hashes.length) enlarge(dictionary)
  return index
}

function enlarge(dictionary: Dictionary): void {
  const { entries } = dictionary
  const hashes = grown(dictionary.hashes, entries, 2 * entries)
  // Larger tables would not stay in the processor's nearest memory.
  const slots = new Int32Array((hashes.length <= 4_096 ? 8 : 4) * hashes.length)
  const mask = slots.length - 1
  for (let index = 0; index < entries; index++) {
    let slot = hashes[index]! & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = index + 1
  }
  dictionary.slots = slots
  dictionary.hashes = hashes
}

function clearDictionary(dictionary: Dictionary): void {
  const { slots, hashes, entries } = dictionary
  const mask = slots.length - 1
  dictionary.entries = 0
  // Few entries in a large table are found faster than all of it is cleared.
  if (entries * 16 > slots.length) return void slots.fill(0)
  for (let index = 0; index < entries; index++) {
    let slot = hashes[index]! & mask
    while (slots[slot] !== index + 1) slot = (slot + 1) & mask
    slots[slot] = 0
  }
}

/** What a column of any kind knows of the row group that fills. */
export type Group = {
  readonly presence: Presence
  readonly dictionary: Dictionary
  /** Values so far that are not null. */
  count: number
  byIndex: boolean
  /** It was handed over: what comes next is another group's. */
  done: boolean
  /** How often a dictionary did not pay in the middle of a group of this file. */
  tries: number
}

export const newGroup = (): Group => ({
  presence: newPresence(),
  dictionary: newDictionary(),
  count: 0,
  byIndex: true,
  done: false,
  tries: 0,
})

export function clearGroup(group: Group): void {
  clearPresence(group.presence)
  clearDictionary(group.dictionary)
  group.count = 0
  group.byIndex = group.tries < mostTries
  group.done = false
}

/** So many entries say enough about a column. */
const enoughEntries = 16_384
const mostEntries = 32_768

/** Whether one more entry is worth it after so many values. It depends on nothing else, so that the same rows always make the same file. */
export const stillPays = (entries: number, values: number): boolean =>
  entries < enoughEntries || (entries < mostEntries && entries * 2 <= values)

/** Whether it was worth it in the end: compression alone would have halved the values. */
export const hasPaid = (dictionaryBytes: number, plainBytes: number, { entries }: Dictionary, values: number): boolean =>
  2 * (dictionaryBytes + (values * bitsFor(entries)) / 8) < plainBytes

/** After so many row groups in which a dictionary did not pay, none is tried any more. */
const mostTries = 2
