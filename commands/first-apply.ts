/** What to do in a store without any version, with a set of the user's own. The definitions are loaded only when somebody must be told. */
import type { Config } from '../config/shape.ts'
import type { Definitions } from '../config/definitions.ts'

type Named = Pick<Config, 'features'>

export const nothingYet = async (config: Named): Promise<string> => `Run first: ${await firstApply(config)}`

/** Where the definitions do not load, other messages say so. */
export async function firstApply({ features }: Named): Promise<string> {
  const { loadDefinitions } = await import('../config/definitions.ts')
  const definitions = await loadDefinitions(features).catch((): Definitions => new Map())
  const [set = 'SET'] = [...definitions].find(([, chain]) => !chain.at(-1)!.batchOnly) ?? [...definitions.keys()]
  return `tidemark apply ${set}@0`
}
