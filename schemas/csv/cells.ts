/** What numbers look like in a cell, and which days there are. */
import { noDay } from '../../utilities/values/columns.ts'

/** Sign, digits, fraction, exponent: nothing else is a number. */
export const numberPattern = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/

/** 1901-01-01: events are looked for by year, and from this one on. */
export const firstEventDay = -25_202

const daysInMonth = Uint8Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

/** Days since 1970-01-01; noDay when there is no such day (or when it lies in a year 0, which SQL does not have). */
export function dayOf(year: number, month: number, day: number): number {
  if (year < 1 || month < 1 || month > 12 || day < 1) return noDay
  if (day > daysInMonth[month]! && !(month === 2 && day === 29 && isLeap(year))) return noDay
  // Years begin in March here, so that the leap day comes last; an era is 400 years.
  const shifted = month > 2 ? year : year - 1
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}
