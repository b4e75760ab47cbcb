/** The Data API test server as a process of its own: prints where it is as one line of JSON, and ends with its standard input. */
import { startDataApi } from './data-api.ts'

const { PORT, TIDEMARK_REGION, TIDEMARK_WORKGROUP, TIDEMARK_DATABASE } = process.env
const api = await startDataApi({
  ...(PORT === undefined ? {} : { port: Number(PORT) }),
  ...(TIDEMARK_REGION === undefined ? {} : { region: TIDEMARK_REGION }),
  ...(TIDEMARK_WORKGROUP === undefined ? {} : { workgroup: TIDEMARK_WORKGROUP }),
  ...(TIDEMARK_DATABASE === undefined ? {} : { database: TIDEMARK_DATABASE }),
})
const { endpoint, region, workgroup, database } = api
console.log(JSON.stringify({ endpoint, region, workgroup, database }))

let stopping = false
const stop = () => {
  if (stopping) return
  stopping = true
  void api.stop().then(() => process.exit(0))
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
process.stdin.resume().on('end', stop)
