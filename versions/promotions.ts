/** Which version of a set was promoted when, as its journal has it. */
import { evolve, nothingYet, promotedIn } from './journal.ts'
import { loadHistory, type JournalPorts } from './keep.ts'

export type PromotionAt = { readonly version: number; /** ISO 8601. */ readonly at: string }

/** In order: a rollback is one, too, of the version that was shown before. */
export async function promotionsOf(ports: Omit<JournalPorts, 'log'>, set: string): Promise<readonly PromotionAt[]> {
  const found: PromotionAt[] = []
  let state = nothingYet(set)
  for (const event of await loadHistory(ports, set)) {
    state = evolve(state, event)
    const version = promotedIn(state)
    if (version === null || !('at' in event) || found.at(-1)?.version === version) continue
    found.push({ version, at: event.at })
  }
  return found
}
