/** Lives of feature sets by chance, in memory: hundreds of sequences of commands, killed and stopped anywhere, against a small model. */
import { describe, expect, it } from 'vitest'
import { storeInMemory } from './driver/in-memory.ts'
import { lifeOf } from './driver/lives.ts'

const from = Number(process.env['TIDEMARK_SEED'] ?? 1)
const count = Number(process.env['TIDEMARK_LIVES'] ?? 300)

describe('lives by chance, in memory', () => {
  it('are what the model says, to the last row, whatever is cut short at whichever write', async () => {
    const wrong: string[] = []
    for (let seed = from; seed < from + count && wrong.length < 3; seed++) {
      const told = await lifeOf(seed, storeInMemory)
      if (told) wrong.push(told)
    }
    console.log(`lives of seeds ${from} to ${from + count - 1}`)
    expect(wrong.join('\n')).toBe('')
  }, 600_000)
})
