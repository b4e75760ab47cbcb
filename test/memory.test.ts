/** The ports in memory pass every contract, as the adapters do that keep things. */
import { incompatibilities } from '../schemas/avro/compatibility.ts'
import { openMemoryCheckpoints } from '../utilities/memory/checkpoints.ts'
import { openMemoryLog } from '../utilities/memory/log.ts'
import { memorySchemas, openMemoryRegistry } from '../utilities/memory/registry.ts'
import { memoryStore } from '../utilities/memory/store.ts'
import { memoryDatabase, openMemoryWarehouse } from '../utilities/memory/warehouse.ts'
import { checkpointContract } from './contracts/checkpoint-contract.ts'
import { logContract } from './contracts/log-contract.ts'
import { registryContract } from './contracts/registry-contract.ts'
import { warehouseContract } from './contracts/warehouse-contract.ts'

const dispose = async () => {}

async function newLog() {
  const store = memoryStore()
  return {
    log: async () => openMemoryLog(store),
    checkpoints: async () => openMemoryCheckpoints(store),
    drop: async (topic: string) => void store.topics.delete(topic),
    dispose,
  }
}

logContract('memory', newLog)
checkpointContract('memory', newLog)

registryContract('memory', async () => {
  const schemas = memorySchemas()
  return { registry: async () => openMemoryRegistry(schemas, incompatibilities('BACKWARD')), dispose }
})

warehouseContract('memory', async () => {
  const database = memoryDatabase()
  return { warehouse: async () => openMemoryWarehouse(database), dispose: async () => database.close() }
})
