/** What a definition can tell an operator beside its field: the windows to look through, and whatever else operators share. */

export type Option<Value> = {
  readonly accepts: (value: unknown) => value is Value
  /** What to do about a value that it does not accept. */
  readonly todo: string
  /** Of one that must be given: as advice to somebody who gave none. */
  readonly needed?: Value
}
export type ValueOf<O> = O extends Option<infer Value> ? Value : never

const wholeNumber =
  (least: number, most: number) =>
  (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most

/** Decimals of a result, half away from zero. */
export const round: Option<number> = { accepts: wholeNumber(0, 15), todo: 'Use 0 to 15 decimals.' }

/** The most bytes of a text that is made. */
export const bytes: Option<number> & { readonly needed: number } = {
  accepts: wholeNumber(3, 65_535),
  todo: 'Use a whole number from 3 to 65535.',
  needed: 200,
}

/** The share of values that are no greater than the result. */
export const p: Option<number> & { readonly needed: number } = {
  accepts: (value): value is number => typeof value === 'number' && value >= 0 && value <= 1,
  todo: 'Use a number from 0 to 1.',
  needed: 0.9,
}

/** When a record happened, as what windows mean by it: its row, the day of its event, and the microsecond where that is known. */
export type Moment = { readonly row: number; readonly day: number; readonly micros?: bigint }

export type Window<Value> = Option<Value> & {
  /** As advice to somebody who gave none. */
  readonly example: Value
  readonly readsDate: boolean
  /** Whether a window of this size needs to know the hour. */
  readonly readsHour?: (size: Value) => boolean
  /** Whether the window of the record `now`, which has this size, reaches a record that came no later. */
  covers(size: Value, that: Moment, now: Moment): boolean
}

const sized = { accepts: wholeNumber(1, 1_000_000), todo: 'Use a whole number from 1 to 1000000.' }
const monthOf = ({ day }: Moment) => {
  const [year, month] = new Date(day * 86_400_000).toISOString().split('-')
  return Number(year) * 12 + Number(month)
}

/**
 * The last records, this one included; the records of the last days or hours, back from this one's; those of this calendar month and the
 * ones before; those that are older than so many days; all of them; for a moving average all so far, and for a time since it all so far, in
 * that unit.
 */
export const windows = {
  last: { ...sized, example: 50, readsDate: false, covers: (size: number, that, now) => that.row > now.row - size },
  days: { ...sized, example: 30, readsDate: true, covers: (size: number, that, now) => that.day > now.day - size && that.day <= now.day },
  hours: {
    ...sized,
    example: 24,
    readsDate: true,
    readsHour: () => true,
    covers: (size: number, that, now) => that.micros! > now.micros! - BigInt(size) * 3_600_000_000n && that.micros! <= now.micros!,
  },
  months: {
    ...sized,
    example: 3,
    readsDate: true,
    covers: (size: number, that, now) => monthOf(that) > monthOf(now) - size && monthOf(that) <= monthOf(now),
  },
  olderThanDays: { ...sized, example: 30, readsDate: true, covers: (size: number, that, now) => that.day <= now.day - size },
  all: {
    accepts: (value: unknown): value is true => value === true,
    todo: 'Use { all: true }.',
    example: true as const,
    readsDate: false,
    covers: () => true,
  },
  span: { ...sized, example: 50, readsDate: false, covers: () => true },
  unit: {
    accepts: (value: unknown): value is Unit => value === 'days' || value === 'hours',
    todo: "Use 'days' or 'hours'.",
    example: 'days' as Unit,
    readsDate: true,
    readsHour: (unit: Unit) => unit === 'hours',
    covers: () => true,
  },
} satisfies { readonly [name: string]: Window<number> | Window<true> | Window<Unit> }

export type Unit = 'days' | 'hours'
export type WindowName = keyof typeof windows
