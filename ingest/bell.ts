/** Lets parts wait until another has news: who has counted the rings before looking misses none. */
export type Bell = {
  ring(): void
  /** How often it has rung. */
  rings(): number
  /** Until it has rung more often than that, or so long. */
  wait(since: number, mostMs: number): Promise<void>
}

export function bell(): Bell {
  let count = 0
  const waiting = new Set<() => void>()
  return {
    ring() {
      count++
      for (const wake of waiting) wake()
    },
    rings: () => count,
    async wait(since, mostMs) {
      if (count !== since) return
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, mostMs)
        waiting.add(wake)
      })
    },
  }
}
