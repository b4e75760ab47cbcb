/** A record with a field of every kind. */
import { date, decimal, flag, integer, number, record, text, timestamp } from '../feature-defs/language.ts'

export const deal = record('deal', 'moment', {
  moment: timestamp({ nullable: false }),
  whole: integer(),
  money: decimal({ digits: 12, scale: 2 }),
  day: date(),
  yes: flag(),
  note: text({ bytes: 20 }),
  rate: number(),
})
