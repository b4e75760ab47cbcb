/** Days as SQL and people write them. A file has few of them, and a text is made once for each. */

const dayMs = 86_400_000
const dayTexts = new Map<number, string>()
const mostDayTexts = 100_000

/** YYYY-MM-DD. */
export function dayText(day: number): string {
  const known = dayTexts.get(day)
  if (known !== undefined) return known
  const text = new Date(day * dayMs).toISOString().split('T')[0]!
  if (dayTexts.size >= mostDayTexts) dayTexts.clear()
  dayTexts.set(day, text)
  return text
}
