/** A model on a real Kafka: its file is kept there, and whoever computes has it from there. */
import { cpSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { featureSet, mean, model } from '../../feature-defs/language.ts'
import { sealed } from '../../feature-defs/models/sealed.ts'
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import { keepModels, keptModel } from '../../streams/kept-models.ts'
import { memoryModels } from '../../utilities/memory/models.ts'
import { done, freshFolder, warehouseOf } from '../cli-run.ts'
import { installRuntime, missingForRuntime } from '../models/installed.ts'
import { readRows } from '../oracle/compare.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { storeOn } from './stores.ts'

let kafka: TestKafka
let home: string

const definitions = `
import { featureSet, mean, model, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'loans', of: rejectedLoan }, { ma: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ risk: model('boosted.onnx', { inputs: ['ma', 'amount_requested'], output: 'probabilities', column: 1 }) })`

function folderWith(config: object): string {
  const folder = freshFolder()
  symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'tidemark.json'), JSON.stringify({ features: 'features.ts', source: { file: 'loans.csv' }, ...config }))
  writeFileSync(join(folder, 'features.ts'), definitions)
  cpSync(join(import.meta.dirname, '../fixtures/models/boosted.onnx'), join(folder, 'boosted.onnx'))
  return folder
}

unlessMissing(missingForKafka() ?? missingForRuntime(), () => {
  beforeAll(async () => {
    home = await installRuntime()
    kafka = await startKafka()
  }, 600_000)
  afterAll(() => kafka?.stop())

  describe('the file of a model on Kafka', () => {
    it('is kept in pieces that fit, and another process reads it as it was', async () => {
      const store = storeOn(kafka.brokers)
      const bytes = Buffer.from(Uint8Array.from({ length: 5_000_001 }, (_, i) => (i * 2_654_435_761) >>> 24))
      const sha256 = 'a'.repeat(64)
      const { definition } = featureSet(
        { name: 'loans', of: rejectedLoan },
        { ma: mean('risk_score', { last: 3 }), risk: model('risk.onnx', { inputs: ['ma'], output: 'y' }) },
      )
      const models = { ...memoryModels(), read: async () => bytes }
      const ports = { log: await store.log(), checkpoints: await store.checkpoints(), models }
      await keepModels(ports, await sealed(definition, async () => ({ sha256 })))
      expect(Buffer.compare((await keptModel(await store.checkpoints(), sha256))!, bytes)).toBe(0)
      await store.dispose()
    })

    it('is all that the consumer needs: scores are those of the embedded log', { timeout: 180_000 }, async () => {
      const log = { kind: 'kafka', brokers: kafka.brokers, topicPrefix: 'models.' }
      const [folder, embedded] = [folderWith({ log }), folderWith({})]
      await done(folder, 'generate --years 2007-2008 --rows 2000 --seed 5 --out loans.csv')
      cpSync(join(folder, 'loans.csv'), join(embedded, 'loans.csv'))
      for (const one of [folder, embedded]) {
        await done(one, 'apply loans@0 --yes')
        await done(one, 'apply loans@1 --yes')
        await done(one, 'produce --years 2007-2008')
        rmSync(join(one, 'boosted.onnx'))
        await done(one, 'consume --until-caught-up')
        await done(one, 'sink --until-caught-up')
        expect(await done(one, 'verify loans@1')).toContain('2 000 rows computed again and equal')
      }
      const scores = (one: string) => readRows(warehouseOf(one), 'SELECT _seq, risk FROM loans ORDER BY _seq')
      expect(scores(folder)).toEqual(scores(embedded))
    })
  })
})
