/** For how many rows models gave no number, by version and feature: `{ 'loan_risk@3': { risk: 12 } }`. */
export type NoNumbers = { readonly [version: string]: { readonly [feature: string]: number } }

export type NoNumbersFound = { readonly noNumbers?: NoNumbers }

export function noNumbersCounter() {
  const counts: Record<string, Record<string, number>> = {}
  const add = (version: string, found: Iterable<readonly [feature: string, rows: number]>) => {
    for (const [feature, rows] of found) {
      const own = (counts[version] ??= {})
      own[feature] = (own[feature] ?? 0) + rows
    }
  }
  return {
    add,
    addAll(found: NoNumbers = {}) {
      for (const [version, features] of Object.entries(found)) add(version, Object.entries(features))
    },
    /** Nothing where every model gave a number for every row. */
    found: (): NoNumbersFound => (Object.keys(counts).length === 0 ? {} : { noNumbers: counts }),
  }
}
