/** `reset TOPIC --as-it-is`: goes on with a topic that was made anew, or lost records before they were taken, and says what that leaves. */
import type { Ports } from '../config/wire.ts'
import { goOnAsItIs, type AsItIsAsked, type RecordsLost, type RowsLacking, type WentOn } from '../use-cases/reset-as-it-is.ts'
import { count } from '../utilities/values/digits.ts'
import type { Console } from './console.ts'

const leaves = [
  'History before is no longer complete: whatever must compute these records again will refuse (apply with --backfill, --shadow or',
  '--forward-only; rollback and promote where rows must be filled; verify). apply --cold needs no history. ' +
    'Rows and state stay as they are.',
].join('\n')

export async function resetAsItIs(ports: Ports, asked: Omit<AsItIsAsked, 'agree'>, console: Console): Promise<void> {
  const { stream, topic } = asked
  const agree = (lost: WentOn['lost']) => {
    if (topic === stream.inflow) console.note(leaves)
    for (const one of lost) console.note(lossText(one, topic))
    return console.confirm(`Go on with ${topic} as it is now?`)
  }
  const { ended, lost } = await goOnAsItIs(ports, { ...asked, agree })
  const idle = `nothing to do: what reads ${topic} can go on from where it is`
  if (ended === 'nothing to do') return console.result(idle, { topic, changed: false })
  const changed = ended === 'changed'
  const text = changed
    ? [`the store goes on with ${topic} as it is now`, ...lost.map((one) => lossText(one, topic))].join('\n')
    : 'nothing was changed'
  console.result(text, { topic, changed, lost: lost.map(lossJson) })
}

function lossText(lost: RecordsLost | RowsLacking, topic: string): string {
  if ('version' in lost) {
    const { set, version, first, last } = lost
    return `the warehouse lacks rows of ${set}@${version} behind record ${first - 1} (computed up to ${last}): tidemark repair ${set}`
  }
  const { set, after, before, rows, first, last, atMost } = lost
  const goesOn = before === null ? `and ${topic} holds none behind them` : `and goes on with _seq ${before}`
  const gone = rows > 0 ? `; ${atMost ? 'up to ' : ''}${count(rows)} produced records (_seq ${first} to ${last}) are lost to it` : ''
  const again = rows > 0 && before === null ? ': produce those years again' : ''
  return `${set} has taken records up to _seq ${after}, ${goesOn}${gone}${again}`
}

function lossJson(lost: RecordsLost | RowsLacking) {
  if ('version' in lost) return lost
  const { set, rows, first, last } = lost
  return { set, rows, first: rows > 0 ? first : null, last: rows > 0 ? last : null }
}
