/** The date that has come last by the clock, in a zone: the day, its midnight, or the hour. */
const dayMs = 86_400_000
const hourMs = 3_600_000

export type Pace = { readonly every: 'day' | 'hour'; readonly zone: string }

export const everyDay: Pace = { every: 'day', zone: 'UTC' }

/** A day since 1970 where facts have dates, a microsecond where they have timestamps. */
export function dateAt(now: number, { every, zone }: Pace, kind: 'date' | 'timestamp'): number {
  if (kind === 'date') return Math.floor(localMs(now, zone) / dayMs)
  const length = every === 'hour' ? hourMs : dayMs
  return momentOf(Math.floor(localMs(now, zone) / length) * length, now, zone) * 1000
}

/** What clocks of the zone show, as if they were in UTC. */
function localMs(at: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const part = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const [year, month, day] = [part.get('year')!, part.get('month')! - 1, part.get('day')!]
  return Date.UTC(year, month, day, part.get('hour'), part.get('minute'), part.get('second'))
}

/**
 * When the zone's clocks showed that: the last time before now. Where they never did, since summer began then, the moment at which they
 * leapt.
 */
function momentOf(local: number, now: number, zone: string): number {
  const offsets = [
    localMs(now, zone) - Math.floor(now / 1000) * 1000,
    localMs(local, zone) - local,
    localMs(local - dayMs, zone) - local + dayMs,
  ]
  const moments = offsets.map((offset) => local - offset).filter((moment) => moment <= now)
  const shown = moments.filter((moment) => localMs(moment, zone) === local)
  return Math.max(...(shown.length > 0 ? shown : moments))
}
