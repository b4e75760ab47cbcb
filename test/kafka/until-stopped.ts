/** Runs servers for a person until Ctrl-C, at whatever stage that comes: nothing is left behind, and nothing is said of what broke off. */

type Servers = { stop(): Promise<void> }

/** What has been started of `start` by an early end goes with this process: each server sees to that. */
export async function untilStopped<T extends Servers>(start: () => Promise<T>, tell: (servers: T) => Promise<void> | void): Promise<void> {
  let servers: T | undefined
  let stopping = false
  const stillHere = setInterval(() => undefined, 60_000)
  const stop = async () => {
    if (stopping) return
    stopping = true
    if (!servers) process.exit(130)
    clearInterval(stillHere)
    await servers.stop()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    servers = await start()
    await tell(servers)
  } catch (error) {
    clearInterval(stillHere)
    // What it asked died of the same Ctrl-C.
    if (stopping) return
    await servers?.stop()
    throw error
  }
}
