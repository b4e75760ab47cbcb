/** Which members of a message are wanted, and the slot that each is found in. */

/** A member of an object; its slot is -1 where it is not wanted. */
export type Member = {
  /** Its name and the quote behind it, as the message has them. */
  readonly name: Buffer
  readonly slot: number
  /** What is wanted of the object that it is. */
  readonly inside: Members | undefined
  /** Which member came behind it in the last message: most likely it does in the next one too. */
  next: Member | undefined
}

export type Members = {
  readonly above: Members | undefined
  readonly byName: Map<string, Member>
  /** The slots of all that is wanted in it, however deep. */
  readonly under: number[]
  /** Which member came first in the last message. */
  first: Member | undefined
  /** The message that it was last seen in. */
  seenIn: number
  /** Names that were met and that nobody wants, until somebody has heard of them. */
  strangers: string[]
}

/** Slot 0 is the whole message. */
export type Shape = { readonly members: Members; slots: number }

const membersIn = (above: Members | undefined): Members => ({
  above,
  byName: new Map(),
  under: [],
  first: undefined,
  seenIn: 0,
  strangers: [],
})

export const newShape = (): Shape => ({ members: membersIn(undefined), slots: 1 })

/** The slot of a member, which is wanted from now on. */
export const want = (shape: Shape, members: Members, name: string): number => add(shape, members, name, undefined).slot

/** What is wanted inside a member, which is an object or else has nothing of it; its own slot tells which. */
export function wantInside(shape: Shape, members: Members, name: string): { readonly slot: number; readonly members: Members } {
  const inside = members.byName.get(name)?.inside ?? membersIn(members)
  return { slot: add(shape, members, name, inside).slot, members: inside }
}

const nameBytes = (name: string): Buffer => Buffer.from(JSON.stringify(name).slice(1))

function add(shape: Shape, members: Members, name: string, inside: Members | undefined): Member {
  const known = members.byName.get(name)
  if (known && (known.inside || !inside)) return known
  const member: Member = { name: nameBytes(name), slot: known?.slot ?? shape.slots++, inside, next: undefined }
  members.byName.set(name, member)
  if (!known) for (let one: Members | undefined = members; one; one = one.above) one.under.push(member.slot)
  return member
}

/** A source may make up names without end: no more than these are remembered. */
const mostNames = 1000

/** The member of a name that was met; one that nobody wants is remembered too, and is known the next time. */
export function memberOf(members: Members, name: string): Member | undefined {
  const known = members.byName.get(name)
  if (known || members.byName.size >= mostNames) return known
  const member: Member = { name: nameBytes(name), slot: -1, inside: undefined, next: undefined }
  members.byName.set(name, member)
  members.strangers.push(name)
  return member
}
