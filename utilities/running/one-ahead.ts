/** Lets one job be under way while the next is prepared: in order, never more than one behind, and a failure stops the next. */
export type OneAhead = {
  /** Resolves when the job before is done and this one has begun. */
  begin(job: () => Promise<void>): Promise<void>
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
}

export function oneAhead(onFailure: () => void = () => {}): OneAhead {
  let latest: Promise<void> = Promise.resolve()
  return {
    async begin(job) {
      await latest
      latest = job()
      // Whoever waits for it next gets the error; until then it must not count as unhandled.
      latest.catch(onFailure)
    },
    settled: () => latest,
  }
}
