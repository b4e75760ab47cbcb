/** What a definition can tell an operator beside its field: the windows to look through, and whatever else operators share. */

export type Option<Value> = {
  readonly accepts: (value: unknown) => value is Value
  /** What to do about a value that it does not accept. */
  readonly todo: string
}
export type ValueOf<O> = O extends Option<infer Value> ? Value : never

const wholeNumber =
  (least: number, most: number) =>
  (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most

/** Decimals of a result, half away from zero. */
export const round: Option<number> = { accepts: wholeNumber(0, 15), todo: 'Use 0 to 15 decimals.' }

/** Where a record stands: its row, and the day of its event. */
type Moment = { readonly row: number; readonly day: number }

export type Window<Value> = Option<Value> & {
  /** As advice to somebody who gave none. */
  readonly example: Value
  readonly readsDate: boolean
  /** Whether the window of the record `now`, which has this size, reaches a record that came no later. */
  covers(size: Value, that: Moment, now: Moment): boolean
}

const sized = { accepts: wholeNumber(1, 1_000_000), todo: 'Use a whole number from 1 to 1000000.' }

/** The last records, this one included; the records of the last days, back from this one's; and, for a moving average, all so far. */
export const windows = {
  last: { ...sized, example: 50, readsDate: false, covers: (size, that, now) => that.row > now.row - size },
  days: { ...sized, example: 30, readsDate: true, covers: (size, that, now) => that.day > now.day - size && that.day <= now.day },
  span: { ...sized, example: 50, readsDate: false, covers: () => true },
} satisfies { readonly [name: string]: Window<number> }

export type WindowName = keyof typeof windows
