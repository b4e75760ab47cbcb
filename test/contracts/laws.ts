/** How a contract names its laws, and how an adapter is excused from one: by the law's title, with a reason that is printed. */
import { it } from 'vitest'

export type Exceptions = Readonly<Record<string, string>>

export type Laws = {
  readonly law: (title: string, test: () => Promise<void>) => void
  /** To be called after the last law: an exception to a law that is not there would go unnoticed for ever. */
  readonly end: () => void
}

export function lawsWith(exceptions: Exceptions): Laws {
  const titles = new Set<string>()
  return {
    law(title, test) {
      titles.add(title)
      const reason = exceptions[title]
      if (reason === undefined) it(title, test)
      else it.skip(`${title} (not here: ${reason})`, test)
    },
    end() {
      const unknown = Object.keys(exceptions).find((title) => !titles.has(title))
      if (unknown !== undefined) throw new TypeError(`an exception to no law: ${unknown}`)
    },
  }
}
