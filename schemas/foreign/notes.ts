/** What a person should hear of a source, once each. */

export type Notes = {
  once(about: string, text: () => string): void
  /** What was not told before. */
  told(): readonly string[]
}

export function notesOf(source: string): Notes {
  const heard = new Set<string>()
  let fresh: string[] = []
  return {
    once(about, text) {
      if (heard.has(about)) return
      heard.add(about)
      fresh.push(`${source}: ${text()}`)
    },
    told() {
      const all = fresh
      fresh = []
      return all
    },
  }
}
