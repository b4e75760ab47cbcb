import { measureBatch } from './batchm.ts'
import { dataOf } from './data.ts'
await measureBatch(await dataOf(200000), { runs: 1, withDuckdb: true, nodeOptions: [], say: () => {} }).then((r) => console.log('PASSED?!', r.compared), (e) => console.log('refused:', e.message.split('\n').find((l: string) => /Error:/.test(l))))
