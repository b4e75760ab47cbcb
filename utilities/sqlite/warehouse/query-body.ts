/** The body of the process that runs a user's statement: it is one part ahead of whoever looks at them, and ends with who asked. */
import { Worker } from 'node:worker_threads'
import { Problem } from '../../values/problem.ts'
import { openSqlite } from '../database.ts'
import { queryParts } from './query.ts'
import type { Answer, Asked } from './query-process.ts'

/** Parts that may be sent before the next one is asked for. */
let wanted = 1
let wake = () => {}

process.on('message', (message: Asked | 'next') => {
  if (message !== 'next') return void run(message)
  wanted++
  wake()
})
process.on('disconnect', () => process.exit())
// Within a long statement nothing of that is heard: a thread sees to it that no statement outlives who asked, however that one ended.
const watch = `setInterval(() => { if (process.ppid !== ${Number(process.argv[2])}) process.kill(process.pid, 'SIGKILL') }, 500)`
new Worker(watch, { eval: true }).unref()

const send = (answer: Answer) => new Promise<void>((sent) => process.send!(answer, undefined, undefined, () => sent()))

async function run({ path, sql }: Asked): Promise<void> {
  try {
    for (const part of queryParts(openSqlite(path, { readOnly: true }), sql)) {
      while (wanted === 0)
        await new Promise<void>((asked) => {
          wake = asked
        })
      wanted--
      await send({ part })
    }
    await send({})
  } catch (error) {
    await send(error instanceof Problem ? { problem: { what: error.what, todo: error.todo } } : { bug: error })
  }
}
