/** `produce`: years of a file into the inflow of their record. */
import { refuseFacts } from '../streams/of-tables.ts'
import { claimRegistry } from '../streams/store.ts'
import { streamOf } from '../streams/stream.ts'
import { produce, type Produced, type ProduceOptions, type ProducePorts } from '../producer/produce.ts'
import { readOf, refuseNothing, type Rejecting } from './file-rows.ts'

/** With all that was read, and the file of the lines rejected, where there are any. */
export type ProducedYears = Produced & { readonly read: number; readonly rejects: string | null }

/** `file` is its name as it was given. */
type ProduceAsked = ProduceOptions & { readonly file: string }

type Ports = Omit<ProducePorts, 'rejects'> & Rejecting

export async function produceYears(ports: Ports, asked: ProduceAsked): Promise<ProducedYears> {
  refuseFacts(asked.record)
  await claimRegistry(ports)
  const { inflow } = streamOf(asked.record)
  const rejects = ports.rejectsPath(inflow)
  const done = await produce({ ...ports, rejects: ports.rejects(inflow) }, asked)
  const figures = { ...done, there: done.alreadyHeld }
  refuseNothing(asked.file, asked.years, figures, rejects)
  return { ...done, read: readOf(figures), rejects: done.rejected > 0 ? rejects : null }
}
