/** Counts what differs, and keeps the first few for a person to look at. */
const mostNamed = 10

export function collector<Difference>() {
  const first: Difference[] = []
  let count = 0
  return {
    first: first as readonly Difference[],
    count: () => count,
    add(difference: Difference) {
      if (count++ < mostNamed) first.push(difference)
    },
  }
}
