/** Waiting that ends as soon as a signal aborts, whatever is still under way. */

/** undefined when the signal came first. */
export async function unlessAborted<T>(coming: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  if (!signal) return coming
  if (signal.aborted) {
    // Nobody waits for it any more, so nobody is to hear of its failure.
    coming.catch(() => undefined)
    return undefined
  }
  let abort!: () => void
  const aborted = new Promise<undefined>((resolve) => signal.addEventListener('abort', (abort = () => resolve(undefined)), { once: true }))
  try {
    return await Promise.race([coming, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
