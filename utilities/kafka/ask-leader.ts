/** One answer to Fetch from the leader of a partition, wherever it is by now, decoded as whoever asks needs it. */
import type { KafkaParts } from './parts.ts'
import { check, code } from './client/trouble.ts'
import { fetchApi, fetchCodec, type FetchFrom } from './wire/fetch.ts'

export type Trying = { readonly signal?: AbortSignal | undefined; readonly forMs?: number | undefined }

/** That the offset is not in the log is an answer, too. */
export function askLeader<Answer extends { readonly errorCode: number }>(
  { cluster, requestTimeoutMs }: Pick<KafkaParts, 'cluster' | 'requestTimeoutMs'>,
  what: FetchFrom,
  decoded: (payload: Buffer, what: FetchFrom) => Promise<Answer>,
  { signal, forMs }: Trying,
): Promise<Answer> {
  return cluster.patiently(
    async () => {
      const api = { ...fetchApi, timeoutMs: what.waitMs + requestTimeoutMs }
      const body = fetchCodec.request(what)
      const answer = await decoded(await cluster.leader(what.topic, what.partition, (link) => link.exchange(api, body)), what)
      if (answer.errorCode !== code.offsetOutOfRange) check(answer.errorCode, `topic ${what.topic}, partition ${what.partition}`)
      return answer
    },
    { signal, ...(forMs !== undefined && { forMs }) },
  )
}
