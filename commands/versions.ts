/** `versions`: every version of a set, or of all. */
import { listVersions, type VersionShown } from '../use-cases/versions.ts'
import type { CommandBody } from './command.ts'
import { table } from './console.ts'
import { firstApply, nothingYet } from './first-apply.ts'
import { withAnyTopicsToRead } from './stage.ts'

export const run: CommandBody = async ({ args, config, console }) =>
  withAnyTopicsToRead({ config, console }, async (ports) => {
    const found = await listVersions(ports, args[0], () => nothingYet(config))
    const { versions, unfinished } = found
    const acts = versions
      .flatMap((one) => one.acts.map((act) => ({ ...act, name: nameOf(one) })))
      .sort((a, b) => a.at.localeCompare(b.at))
      .map(({ at, name, act, who, why, measured }) => [
        at.slice(0, 19).replace('T', ' '),
        name,
        act,
        who,
        [why, measured].filter(Boolean).join('; '),
      ])
    const text = [
      versions.length === 0
        ? `no version is applied yet: ${await firstApply(config)}`
        : table(['version', 'state', 'mode', 'switched after', 'rows', 'features'], versions.map(cellsOf), { widest: 120 }),
      ...(acts.length > 0 ? ['', table(['when (UTC)', 'version', 'what', 'who', 'why'], acts, { widest: 120 })] : []),
      ...(unfinished.length > 0 ? ['', 'Unfinished:', ...unfinished.map((line) => `  ${line}`)] : []),
    ]
    console.result(text.join('\n'), found)
  })

const nameOf = ({ set, version }: VersionShown) => `${set}@${version}`

function cellsOf(one: VersionShown) {
  const { state, mode, switchedAfter, rowsAfter, rowsUntil } = one
  const features = Object.entries(one.features).map(([name, words]) => `${name} = ${words}`)
  const owned = rowsAfter === null ? '' : `${rowsAfter + 1} – ${rowsUntil ?? 'now'}`
  return [nameOf(one), state, mode ?? '', switchedAfter, owned, features.join('; ')]
}
