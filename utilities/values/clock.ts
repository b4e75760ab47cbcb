/** The time, in nanoseconds since 1970: passed in, never read inside. */
export type Clock = () => bigint

/** Milliseconds from the system, made strictly increasing within the process. */
export const systemClock = (): Clock => {
  let latest = 0n
  return () => {
    const now = BigInt(Date.now()) * 1_000_000n
    latest = now > latest ? now : latest + 1n
    return latest
  }
}
