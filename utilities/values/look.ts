/** What can be told of a part by looking at it, for the doctor command: nothing is made or changed by a look. */

/** All is well when there is nothing to do. */
export type Found = { readonly found: string; readonly todo?: string }

export type Look = {
  readonly name: string
  /** Whether those behind it, and the work with all parts, can only be looked at when this is well. */
  readonly needed: boolean
  readonly look: () => Promise<Found>
}

/** What a database file is like. */
export type DatabaseLook = { readonly state: 'empty' | 'opened' | 'sound' } | { readonly damage: string }
