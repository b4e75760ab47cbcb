/** What others may do with a view, as the statement that lets them do it again. */
import { qualified, type Target } from './names.ts'

export type Grant = {
  readonly view: string
  readonly privilege: string
  readonly to: { readonly kind: 'user' | 'role' | 'group' | 'public'; readonly name: string }
  readonly grantable: boolean
}

/** Names of other people's making may hold anything. */
const foreignName = (name: string) => `"${name.replaceAll('"', '""')}"`

export function grantText(target: Target, { view, privilege, to, grantable }: Grant): string {
  if (!/^[A-Z]+$/.test(privilege)) throw new TypeError(`privilege ${JSON.stringify(privilege)}`)
  const grantee = {
    user: foreignName(to.name),
    role: `ROLE ${foreignName(to.name)}`,
    group: `GROUP ${foreignName(to.name)}`,
    public: 'PUBLIC',
  }[to.kind]
  return `GRANT ${privilege} ON ${qualified(target, view)} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''}`
}
