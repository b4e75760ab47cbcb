/** Programs that always run: started again whenever they end, killed at will, and told to stop at last. */
import { setTimeout as sleep } from 'node:timers/promises'
import { start, type Ended, type Running } from '../cli-run.ts'

export type Watched = {
  kill(): Promise<void>
  /** Asks it to stop and waits for that; how it ended every time but those in which it was killed. */
  stop(): Promise<readonly Ended[]>
}

export function keepRunning(folder: string, words: string): Watched {
  const ends: Ended[] = []
  let going = true
  let running: Running = start(folder, words)
  const over = (async () => {
    for (;;) {
      const ended = await running.ended
      if (ended.code !== null) ends.push(ended)
      if (!going) return
      await sleep(100)
      running = start(folder, words)
    }
  })()
  return {
    async kill() {
      running.signal('SIGKILL')
      await running.ended
    },
    async stop() {
      going = false
      running.signal('SIGINT')
      await over
      return ends
    },
  }
}
