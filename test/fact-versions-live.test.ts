/** Another version of a fact beside a consumer that stays, as processes: what is killed and given again ends as if it had never been. */
import { describe, it } from 'vitest'
import { goOverAndBack } from './later-facts.ts'
import { limitMs } from './loan-folders.ts'
import { seed } from './seeded.ts'

describe(`versions of a fact beside a consumer that stays, seed ${seed}`, () => {
  it(
    'are gone over to and back while facts come, apply killed or not, and are what a store has that had the last from the start',
    () => goOverAndBack({ kind: 'embedded' }, { kind: 'embedded' }),
    2 * limitMs,
  )
})
