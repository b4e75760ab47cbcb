/** Steps on a store in memory that must be done, or are refused for what they say; and messages that somebody else puts into inflow. */
import { expect } from 'vitest'
import { featureSet, mean } from '../feature-defs/language.ts'
import { registerInflow } from '../streams/inflow.ts'
import { streamOf } from '../streams/stream.ts'
import { v0, v1, v2 } from '../examples/loans/loan-risk.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { encodeObject } from '../schemas/avro/generic.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { frameHeader } from '../schemas/wire.ts'
import type { StoreInMemory } from './driver/in-memory.ts'
import type { DrivenSet } from './driver/sets.ts'
import type { Command, Years } from './driver/step.ts'

/** The sets that come with Tidemark, and one with a key. */
export const loanRisk: DrivenSet = { set: 'loan_risk', per: null, chain: [v0, v1, v2].map(({ definition }) => definition), text: '' }

const s0 = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
const s1 = s0.add({ ma9: mean('risk_score', { last: 9, round: 3 }) })
export const byState: DrivenSet = { set: 'by_state', per: 'state', chain: [s0, s1].map(({ definition }) => definition), text: '' }

export async function mustBeDone(store: StoreInMemory, ...commands: readonly Command[]): Promise<void> {
  for (const command of commands) {
    const outcome = await store.run(command)
    expect([command, outcome.ended, outcome.ended === 'refused' ? outcome.why.message : '']).toEqual([command, 'done', ''])
  }
}

/** Into inflow, through the consumer, into the warehouse. */
export const streamed = (store: StoreInMemory, years: Years) =>
  mustBeDone(store, { do: 'produce', years }, { do: 'consume' }, { do: 'sink' })

/** What the command says that must be refused. */
export async function refusal(store: StoreInMemory, command: Command): Promise<string> {
  const outcome = await store.run(command)
  return outcome.ended === 'refused' ? outcome.why.message : outcome.ended
}

/** Well written records under these numbers, which no producer has recorded. */
export async function foreign(store: StoreInMemory, seqs: readonly number[]): Promise<void> {
  const { log, registry } = store.open()
  const header = frameHeader((await registerInflow(registry, rejectedLoan)).id)
  const nothing = { loan_title: null, debt_to_income_ratio: null, zip_code: null, state: null, employment_length: null, policy_code: null }
  const loan = { amount_requested: 7, application_date: 15_000, risk_score: 1, ...nothing }
  const messages = seqs.map((seq) => Buffer.concat([header, encodeObject(inflowSchema(rejectedLoan), { seq, ...loan })]))
  let end = 0
  const ends = Uint32Array.from(messages, ({ length }) => (end += length))
  const writer = await log.writer('somebody else')
  await writer.commit({ append: [{ topic: streamOf(rejectedLoan).inflow, partition: 0, batch: { bytes: Buffer.concat(messages), ends } }] })
  await writer.close()
}
