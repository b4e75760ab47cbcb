/** `apply`: says what a version would do and, once whoever asked agrees, releases it and hands the stream over to it. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { claimRegistry } from '../streams/store.ts'
import { beginAnew } from '../sink/begin-anew.ts'
import { Problem } from '../utilities/values/problem.ts'
import { apply, type ApplyOptions } from '../versions/apply.ts'
import type { Progress } from '../versions/bring.ts'
import type { PlanOptions } from '../versions/plan.ts'
import { beginning, telling, type Asking } from './asking.ts'
import { beginStream, type StreamPorts } from './begin-stream.ts'
import { planOf, type Planned } from './plan.ts'

export type Applied = {
  readonly plan: Planned
  readonly ended: 'nothing to do' | 'declined' | 'interrupted' | 'applied'
  /** Where the stream went over to it, partition by partition. */
  readonly switches: readonly { readonly partition: number; readonly afterSeq: number; readonly at: string }[]
}

type ApplyAsked = Asking<Planned, Applied> &
  PlanOptions &
  Pick<ApplyOptions, 'actor'> & {
    /** Hears what would happen before anything does, also when it is refused. */
    readonly show: (plan: Planned) => void
    /** Of all sets, as the code has them; those of this one, without. */
    readonly definitions?: readonly Definition[]
  }

export async function applyVersion(ports: StreamPorts, { show, agree, tell, report, ...asked }: ApplyAsked): Promise<Applied> {
  const { seen, ...planned } = await planOf(ports, asked)
  const { set, version, mode, incompatible } = planned
  const told = telling(tell)
  const unchanged = { plan: planned, switches: [] }
  if (!planned.changes) return told({ ...unchanged, ended: 'nothing to do' })
  show(planned)
  if (incompatible.length > 0) {
    throw new Problem(
      `${set}@${version} is not compatible with what is released: ${incompatible.join('; ')}`,
      'Nothing was changed. Keep the field as it was, and add what is new under another name.',
    )
  }
  if (!(await agree(planned))) return told({ ...unchanged, ended: 'declined' })

  await claimRegistry(ports)
  await beginAnew(ports, asked.chain[version]!)
  report({ ...beginning, version })
  let applied: Applied | undefined
  try {
    const watch = { signal: asked.signal, report: (news: Progress) => report({ ...news, version }) }
    await apply(ports, {
      ...asked,
      mode,
      seen,
      ...watch,
      beginStream: () =>
        beginStream(ports, {
          definition: asked.chain[version]!,
          definitions: asked.definitions ?? asked.chain,
          partitions: asked.partitions,
          ...watch,
        }),
      announce: ({ versions }) => {
        const switches = versions[version]!.switches.flatMap((one, partition) => (one ? [{ partition, ...one }] : []))
        applied = told({ plan: planned, ended: 'applied', switches })
      },
    })
    return applied!
  } catch (error) {
    if (!asked.signal.aborted) throw error
    return told({ ...unchanged, ended: 'interrupted' })
  }
}
