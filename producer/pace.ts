/** Spreads the rows over time: small batches, each waited out. */
export function pacer(rate: number | undefined) {
  const startedMs = performance.now()
  let sent = 0
  return {
    rowsPerBatch: rate === undefined ? 10_000 : Math.max(1, Math.min(10_000, Math.round(rate / 20))),
    async afterRows(rows: number, signal: AbortSignal) {
      if (rate === undefined) return
      sent += rows
      const aheadMs = (sent / rate) * 1000 - (performance.now() - startedMs)
      if (aheadMs > 0)
        await new Promise<void>((done) => {
          const timer = setTimeout(done, aheadMs)
          signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true })
        })
    },
  }
}
