/** Limits on calls a second, as accounts have been given them; what is beyond is throttled. */

/** Calls a second, by operation; without a number, as many as come. */
export type Rates = Readonly<Record<string, number>>

/** What people report of their accounts. */
export const reportedRates: Rates = { ExecuteStatement: 30, BatchExecuteStatement: 20, DescribeStatement: 100, GetStatementResult: 20 }

/** Whether one more call is too many, at this moment. */
export function limiter(rates: Rates): (operation: string, nowMs: number) => boolean {
  const recent = new Map<string, number[]>()
  return (operation, nowMs) => {
    const most = rates[operation]
    if (most === undefined) return false
    const times = (recent.get(operation) ?? []).filter((time) => nowMs - time < 1000)
    recent.set(operation, times)
    if (times.length >= most) return true
    times.push(nowMs)
    return false
  }
}
