/** The commands on versions of feature sets, in the order in which a version needs them. */
import type { Command } from './command.ts'
import { modeOptions } from './modes.ts'
import { why, definitionsFile } from './shared-options.ts'

export const onVersions: readonly Command[] = [
  {
    name: 'plan',
    args: '[set@version]',
    summary: 'what applying a version would do; without one, the next of every set',
    example: 'tidemark plan loan_risk@1',
    options: [...modeOptions, definitionsFile, ['--exit-code', 'exit 3 when something would change']],
    load: () => import('./plan.ts'),
  },
  {
    name: 'apply',
    args: '<set@version>',
    summary: 'release the next version of a feature set and hand over to it',
    example: 'tidemark apply loan_risk@1 --cold',
    options: [...modeOptions, definitionsFile, why],
    load: () => import('./apply.ts'),
  },
  {
    name: 'promote',
    args: '<set@version>',
    summary: 'show a version to SQL users: one transaction, then the rows it lacks are filled',
    example: 'tidemark promote loan_risk@2 --max-changed 20% --max-nulls 1%',
    options: [
      ['--max-changed <percent>', 'refuse if more rows of a feature changed'],
      ['--max-nulls <percent>', 'refuse if more rows of a feature lost their value'],
      why,
    ],
    onExisting: true,
    load: () => import('./promote.ts'),
  },
  {
    name: 'rollback',
    args: '<set>',
    summary: 'show the version before again',
    example: 'tidemark rollback loan_risk --why "ema50 too nervous"',
    options: [why],
    onExisting: true,
    load: () => import('./rollback.ts'),
  },
  {
    name: 'retire',
    args: '<set@version>',
    summary: 'drop a version that nobody sees any more: view, rows and state',
    example: 'tidemark retire loan_risk@0',
    options: [why],
    onExisting: true,
    load: () => import('./retire.ts'),
  },
  {
    name: 'repair',
    args: '[set]',
    summary: 'make rows, views and records of the warehouse again, from journal and history',
    example: 'tidemark repair loan_risk',
    onExisting: true,
    load: () => import('./repair.ts'),
  },
]
