/** A queue: what came first is taken first, which costs the same however many there are. */
export type Queue<T> = {
  add(one: T): void
  /** How many there are, and the one at a place from the front. */
  length(): number
  at(place: number): T | undefined
  /** Takes so many from the front. */
  take(count: number): readonly T[]
  [Symbol.iterator](): Iterator<T>
}

export function queue<T>(): Queue<T> {
  let all: T[] = []
  let first = 0
  return {
    add: (one) => void all.push(one),
    length: () => all.length - first,
    at: (place) => all[first + place],
    take(count) {
      const taken = all.slice(first, first + count)
      first += taken.length
      // What was taken is let go once it is half of all: each is moved about once.
      if (first * 2 >= all.length) [all, first] = [all.slice(first), 0]
      return taken
    },
    *[Symbol.iterator]() {
      for (let i = first; i < all.length; i++) yield all[i]!
    },
  }
}

/** Texts that were named lately: so many for certain, and never more than twice as many. */
export function lately(most: number) {
  let [now, before] = [new Set<string>(), new Set<string>()]
  return {
    has: (text: string) => now.has(text) || before.has(text),
    add(text: string) {
      now.add(text)
      if (now.size >= most) [now, before] = [new Set(), now]
    },
  }
}
