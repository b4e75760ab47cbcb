/** Transactions of a database that come over several topics: each is let through whole, in order, and nothing is kept back for ever. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, piecesOf, type Lane, type Piece } from '../ingest/pieces.ts'
import { holdTransactions } from '../ingest/transactions.ts'
import type { Changes, Origin, TransactionMark } from '../schemas/foreign/changes.ts'
import { says } from '../schemas/foreign/changes.ts'
import type { Messages } from '../utilities/feed.ts'

type Event = { readonly tx: number | null; readonly lsn: number; readonly commit: number; readonly op?: Origin['op'] }

const noBytes = { bytes: new Uint8Array(0), starts: new Int32Array(0), ends: new Int32Array(0) }
const noRows = { count: 0, byName: new Map() }

/** Messages of a lane from an offset on, one for each event; null is a tombstone. */
function batch(
  events: readonly (Event | null)[],
  offset: number,
  collection: string,
): { readonly messages: Messages; readonly changes: Changes } {
  const origins = events.map((event): Origin | undefined =>
    event
      ? {
          connector: 'shop',
          collection,
          op: event.op ?? 'u',
          snapshot: 'no',
          transaction: event.tx === null ? undefined : String(event.tx),
          place: { of: 'postgres', transaction: BigInt(event.tx ?? 0), lsn: BigInt(event.lsn), commit: BigInt(event.commit) },
          run: undefined,
        }
      : undefined,
  )
  const count = events.length
  return {
    messages: {
      count,
      offsets: Float64Array.from({ length: count }, (_, i) => offset + i),
      times: new Float64Array(count),
      keys: noBytes,
      values: noBytes,
      header: () => undefined,
      next: offset + count,
      end: offset + count,
    },
    changes: {
      said: new Uint8Array(count).fill(says.nothing),
      rows: noRows,
      put: new Int32Array(0),
      gone: noRows,
      goneBy: new Int32Array(0),
      unsent: new Map(),
      dead: [],
      origins,
      notes: [],
    },
  }
}

const lanes: readonly (Lane & { readonly topic: string; readonly collection: string })[] = [
  { source: 'invoices', partition: 0, several: false, topic: 'shop.public.invoices', collection: 'public.invoices' },
  { source: 'lines', partition: 0, several: false, topic: 'shop.public.lines', collection: 'public.lines' },
]

const end = (tx: number, lsn: number, counts: { readonly [collection: string]: number }): TransactionMark => ({
  kind: 'end',
  transaction: String(tx),
  lsn: BigInt(lsn),
  changes: new Map(Object.entries(counts)),
})

function holderOf(options: { readonly most?: number; readonly mostMs?: number } = {}) {
  const holder = holdTransactions({ most: 1_000, mostMs: 5_000, sources: lanes, after: undefined, ...options })
  for (const lane of lanes) holder.open(lane, 0)
  const next = [0, 0]
  const give = (lane: number, events: readonly (Event | null)[]) => {
    const { messages, changes } = batch(events, next[lane]!, lanes[lane]!.collection)
    next[lane]! += events.length
    for (const piece of piecesOf(lanes[lane]!, messages, changes, { newest: undefined, held: true })) holder.add(piece)
  }
  const begin = (transaction: number, offset: number) =>
    holder.mark({ kind: 'begin', transaction: String(transaction), lsn: undefined, changes: new Map() }, offset)
  /** Begun and ended by one run of the connector. */
  const mark = (ended: TransactionMark, offset: number) => {
    begin(Number(ended.transaction), offset)
    holder.mark(ended, offset)
  }
  return { ...holder, give, begin, mark, tell: holder.mark }
}

const told = (pieces: readonly Piece[]) =>
  pieces.map(({ source, transaction = 'none', from, to }) => `${source} ${transaction} ${to - from}`)
const soon = { ms: 0, open: true, quiet: false, isAll: false }
const quiet = { open: true, quiet: true, isAll: true }

describe('transactions that come over several topics', () => {
  it('are held until as many changes have come as their end says', () => {
    const { give, mark, release } = holderOf()
    give(0, [{ tx: 1, lsn: 10, commit: 5 }])
    expect(told(release(soon))).toEqual([])
    mark(end(1, 20, { 'public.invoices': 1, 'public.lines': 2, 'public.others': 7 }), 1)
    give(1, [{ tx: 1, lsn: 11, commit: 5 }])
    expect(told(release(soon))).toEqual([])
    give(1, [{ tx: 1, lsn: 12, commit: 5 }])
    expect(told(release(soon))).toEqual(['invoices 1 1', 'lines 1 1', 'lines 1 1'])
  })

  it('are whole where a tombstone amid one of them came with the next batch', () => {
    const { give, mark, release, inPieces } = holderOf()
    mark(end(1, 20, { 'public.invoices': 1, 'public.lines': 2 }), 1)
    give(0, [
      { tx: 1, lsn: 10, commit: 5 },
      { tx: 2, lsn: 22, commit: 20 },
    ])
    give(1, [{ tx: 1, lsn: 11, commit: 5, op: 'd' }])
    expect(told(release(soon))).toEqual([])
    give(1, [null])
    expect(told(release(soon))).toEqual([])
    give(1, [null, { tx: 1, lsn: 12, commit: 5 }])
    expect(told(release(soon))).toEqual(['invoices 1 1', 'lines 1 1', 'lines none 1', 'lines none 1', 'lines 1 1'])
    expect(inPieces()).toBe(0)
  })

  it('are let through before what has none and comes behind them in another topic, as the rows of a snapshot', () => {
    const { give, mark, release } = holderOf()
    give(0, [
      { tx: 1, lsn: 10, commit: 5 },
      { tx: null, lsn: 15, commit: 5 },
    ])
    give(1, [{ tx: 1, lsn: 11, commit: 5 }])
    mark(end(1, 20, { 'public.invoices': 1, 'public.lines': 1 }), 1)
    expect(told(release(soon))).toEqual(['invoices 1 1', 'lines 1 1', 'invoices none 1'])
  })

  it('wait for nobody who has no transaction, and let through what ended without an end', () => {
    const { give, mark, release, inPieces } = holderOf()
    give(0, [
      { tx: null, lsn: 1, commit: 0 },
      { tx: 1, lsn: 10, commit: 5, op: 't' },
      { tx: 2, lsn: 30, commit: 20 },
    ])
    expect(told(release(soon))).toEqual(['invoices none 1'])
    mark(end(2, 40, { 'public.invoices': 1 }), 3)
    expect(told(release(soon))).toEqual(['invoices 1 1', 'invoices 2 1'])
    expect(inPieces()).toBe(0)
  })

  it('keep the tombstones behind their deletions', () => {
    const { give, mark, release } = holderOf()
    give(0, [{ tx: 1, lsn: 10, commit: 5, op: 'd' }, null, { tx: 1, lsn: 10, commit: 5, op: 'c' }])
    mark(end(1, 20, { 'public.invoices': 2 }), 1)
    expect(told(release(soon))).toEqual(['invoices 1 3'])
  })

  it('are whole though one was read in two parts, of which the second begins with a tombstone', () => {
    const { give, mark, release, inPieces } = holderOf()
    give(0, [{ tx: 1, lsn: 10, commit: 5, op: 'd' }])
    give(0, [null, { tx: 1, lsn: 11, commit: 5, op: 'd' }])
    give(0, [null, { tx: 2, lsn: 30, commit: 20 }])
    give(1, [{ tx: 2, lsn: 31, commit: 20 }])
    mark(end(1, 20, { 'public.invoices': 2 }), 1)
    expect(told(release(soon))).toEqual(['invoices 1 1', 'invoices none 1', 'invoices 1 1', 'invoices none 1'])
    expect(inPieces()).toBe(0)
  })

  const sentTo = (...ends: readonly number[]) => ends.map((to, i) => ({ ...lanes[i]!, to }))

  it('are whole where their connector began them anew when all lanes were read as far as they had been sent, whatever their end counts', () => {
    const { give, begin, tell, sent, release, inPieces, done } = holderOf()
    begin(1, 4)
    give(0, [
      { tx: 1, lsn: 10, commit: 5 },
      { tx: 1, lsn: 11, commit: 5 },
    ])
    begin(1, 7)
    expect(tell(end(1, 20, { 'public.invoices': 2 }), 9)).toBe(true)
    // Its end seems to count what has come.
    expect(release(soon)).toEqual([])
    sent(sentTo(4, 1))
    expect(release(soon)).toEqual([])
    give(0, [
      { tx: 1, lsn: 12, commit: 5 },
      { tx: 1, lsn: 13, commit: 5 },
    ])
    expect([release(soon), done(new Set()).next]).toEqual([[], 4])
    give(1, [{ tx: 1, lsn: 14, commit: 5 }])
    expect(told(release(soon))).toEqual(['invoices 1 2', 'invoices 1 2', 'lines 1 1'])
    expect(inPieces()).toBe(0)
  })

  it('are begun anew by a connector of which nobody saw how they began, and wait for no lane that has come to later ones', () => {
    const { give, begin, tell, sent, release, inPieces } = holderOf()
    give(0, [
      { tx: 1, lsn: 10, commit: 5 },
      { tx: 1, lsn: 11, commit: 5 },
      { tx: 1, lsn: 12, commit: 5 },
    ])
    expect(tell(end(1, 20, { 'public.invoices': 2 }), 1)).toBe(true)
    sent(sentTo(100, 0))
    begin(2, 2)
    expect(tell(end(2, 40, { 'public.invoices': 1, 'public.lines': 1 }), 3)).toBe(false)
    expect(release(soon)).toEqual([])
    give(0, [
      { tx: 1, lsn: 13, commit: 12 },
      { tx: 1, lsn: 14, commit: 12 },
      { tx: 2, lsn: 30, commit: 20 },
    ])
    expect(told(release(soon))).toEqual(['invoices 1 3', 'invoices 1 2'])
    give(1, [{ tx: 2, lsn: 31, commit: 20 }])
    expect(told(release(soon))).toEqual(['invoices 2 1', 'lines 2 1'])
    expect(inPieces()).toBe(0)
  })

  it('of which no end is told are whole when the next one ends and all was read that had been sent by then', () => {
    const { give, begin, tell, sent, release, inPieces, done } = holderOf()
    begin(1, 4)
    give(0, [{ tx: 1, lsn: 10, commit: 5 }])
    begin(2, 5)
    expect(tell(end(2, 40, { 'public.invoices': 1 }), 6)).toBe(true)
    sent(sentTo(2, 1))
    give(0, [{ tx: 2, lsn: 30, commit: 20 }])
    expect([release(soon), done(new Set()).next]).toEqual([[], 4])
    give(1, [{ tx: 1, lsn: 11, commit: 5 }])
    expect(told(release(soon))).toEqual(['invoices 1 1', 'lines 1 1', 'invoices 2 1'])
    expect([inPieces(), done(new Set()).next]).toEqual([0, undefined])
  })

  it('are begun again by a connector that goes back, whatever it sends again before', () => {
    const { give, begin, tell, mark, release, inPieces } = holderOf()
    mark(end(1, 20, { 'public.invoices': 1 }), 1)
    give(0, [{ tx: 1, lsn: 10, commit: 5 }])
    release(soon)
    begin(2, 3)
    mark(end(1, 20, { 'public.invoices': 1 }), 4)
    begin(2, 5)
    expect(tell(end(2, 40, { 'public.invoices': 1 }), 6)).toBe(true)
    expect([release(soon), inPieces()]).toEqual([[], 0])
  })

  it('are read again from where they begin as long as they have not ended', () => {
    const { give, begin, tell, release, done, written } = holderOf()
    const next = () => done(new Set()).next
    begin(1, 4)
    expect(next()).toBe(4)
    tell(end(1, 20, { 'public.invoices': 1 }), 5)
    begin(2, 6)
    expect(next()).toBe(4)
    give(0, [{ tx: 1, lsn: 10, commit: 5 }])
    release(soon)
    expect([next(), done(new Set(['1'])).next]).toEqual([6, 4])
    written()
    tell(end(2, 40, {}), 8)
    release(soon)
    expect(next()).toBe(undefined)
  })

  it('go as they came where the rest does not come, and are counted', () => {
    const { give, mark, release, inPieces, done } = holderOf()
    const needed = () => done(new Set()).next
    give(0, [{ tx: 1, lsn: 10, commit: 5 }])
    mark(end(1, 20, { 'public.invoices': 1, 'public.lines': 1 }), 8)
    expect(release({ ...quiet, ms: 1_000 })).toEqual([])
    expect(release({ ...soon, ms: 4_000 })).toEqual([])
    expect(release({ ...quiet, ms: 5_000 })).toEqual([])
    expect(needed()).toBe(8)
    expect(told(release({ ...quiet, ms: 10_000 }))).toEqual(['invoices 1 1'])
    expect([inPieces(), needed()]).toEqual([1, undefined])
    give(1, [{ tx: 1, lsn: 11, commit: 5 }])
    expect(told(release({ ...quiet, ms: 10_001 }))).toEqual(['lines 1 1'])
  })

  it('go as they came, one by one, where nothing more is read before something goes', () => {
    const { give, mark, release, inPieces } = holderOf()
    const full = { ...quiet, isAll: false }
    give(0, [
      { tx: 1, lsn: 10, commit: 5 },
      { tx: 2, lsn: 30, commit: 20 },
    ])
    mark(end(1, 20, { 'public.invoices': 1, 'public.lines': 1 }), 1)
    mark(end(2, 40, { 'public.invoices': 1, 'public.lines': 1 }), 2)
    expect(release({ ...full, ms: 1_000 })).toEqual([])
    expect(told(release({ ...full, ms: 6_000 }))).toEqual(['invoices 1 1'])
    give(1, [{ tx: 2, lsn: 31, commit: 20 }])
    expect(told(release({ ...full, ms: 6_001 }))).toEqual(['invoices 2 1', 'lines 2 1'])
    expect(inPieces()).toBe(1)
  })

  it('are neither held nor ended by marks of Kafka between their messages', () => {
    const { give, mark, release, add, inPieces } = holderOf()
    give(0, [{ tx: 1, lsn: 10, commit: 5 }])
    const { messages, changes } = batch([], 1, lanes[0]!.collection)
    const held = { transaction: '1', collection: lanes[0]!.collection, counted: 0, repeated: new Uint8Array(0) }
    add({ ...lanes[0]!, ...held, messages, changes, from: 0, to: 0, before: undefined, newest: undefined })
    mark(end(1, 20, { 'public.invoices': 2 }), 1)
    expect(told(release(soon))).toEqual([])
    give(0, [{ tx: 1, lsn: 11, commit: 5 }])
    expect(told(release(soon))).toEqual(['invoices 1 1', 'invoices 1 0', 'invoices 1 1'])
    expect(inPieces()).toBe(0)
  })

  it('are read ahead of no further than there is room', () => {
    const { mark, hasRoomForEnds, release } = holderOf()
    for (let tx = 1; tx <= 20_000; tx++) mark(end(tx, tx * 10, { 'public.invoices': 1 }), tx)
    expect(hasRoomForEnds()).toBe(false)
    expect(release({ ...quiet, ms: 1_000 })).toEqual([])
    release({ ...quiet, ms: 6_000 })
    expect(hasRoomForEnds()).toBe(true)
  })

  it('go as they came where they are larger than what is held', () => {
    const { give, release, inPieces, hasRoom, held } = holderOf({ most: 10 })
    give(
      0,
      Array.from({ length: 8 }, (_, i) => ({ tx: 1, lsn: i, commit: 0 })),
    )
    expect([hasRoom(lanes[0]!), release(soon).length]).toEqual([true, 0])
    give(
      0,
      Array.from({ length: 8 }, (_, i) => ({ tx: 1, lsn: 8 + i, commit: 0 })),
    )
    expect(told(release(soon))).toEqual(['invoices 1 8', 'invoices 1 8'])
    expect([inPieces(), held()]).toEqual([1, 0])
  })

  it('are let through whole and in order, however their messages come and whenever their connector was killed', () => {
    const kill = fc.record({ behind: fc.nat(8), anew: fc.boolean() })
    const changes = fc.array(fc.nat(1), { minLength: 1, maxLength: 8 })
    const isEndLost = fc.nat(3).map((one) => one === 0)
    const transaction = fc.record({ changes, isEndLost, kills: fc.array(kill, { maxLength: 2 }) })
    fc.assert(
      fc.property(fc.array(transaction, { minLength: 1, maxLength: 12 }), fc.infiniteStream(fc.nat(2)), (transactions, choices) => {
        const { give, begin, tell, sent, release, held, inPieces } = holderOf()
        const queues: [Event[], Event[]] = [[], []]
        const marks: (() => void)[] = []
        let lsn = 100
        const read = [0, 0]
        const sentNow = () => queues.map(({ length }, lane) => read[lane]! + length)
        for (const [tx, { changes, isEndLost, kills }] of transactions.entries()) {
          const commit = lsn
          let counts = [0, 0]
          const starts = [0, ...kills.filter(({ anew }) => anew).map(({ behind }) => behind)].filter(
            (one) => one < changes.length || one === 0,
          )
          for (const [i, lane] of changes.entries()) {
            for (const start of starts)
              if (start === i) {
                counts = [0, 0]
                marks.push(() => begin(tx, 0))
              }
            queues[lane as 0 | 1].push({ tx, lsn: ++lsn, commit })
            counts[lane]!++
          }
          const [ended, counted, by] = [++lsn, counts, sentNow()]
          if (isEndLost && tx < transactions.length - 1) continue
          marks.push(() => {
            const isTorn = tell(end(tx, ended, { 'public.invoices': counted[0]!, 'public.lines': counted[1]! }), tx)
            // More may have been sent by then.
            if (isTorn) sent(sentTo(...sentNow().map((now, lane) => Math.min(now, by[lane]! + (lsn % 3)))))
          })
        }
        const seen: string[] = []
        const look = () => {
          for (const [tx, pieces] of Map.groupBy(release(soon), (piece) => piece.transaction!)) {
            expect(pieces.reduce((sum, { counted }) => sum + counted, 0)).toBe(transactions[Number(tx)]!.changes.length)
            seen.push(tx)
          }
        }
        while ([...queues, marks].some(({ length }) => length > 0)) {
          const choice = choices.next().value as 0 | 1 | 2
          if (choice === 2) marks.shift()?.()
          else if (queues[choice].length > 0) {
            const some = queues[choice].splice(0, 1 + (lsn % 3))
            read[choice]! += some.length
            give(choice, some)
          }
          look()
        }
        expect(seen).toEqual(transactions.map((_, tx) => String(tx)))
        expect([held(), inPieces()]).toEqual([0, 0])
      }),
      { numRuns: 500 },
    )
  })
})

describe('a piece', () => {
  it('that is cut knows the newest change before and behind it', () => {
    const { messages, changes } = batch([{ tx: 1, lsn: 1, commit: 0 }, { tx: 1, lsn: 2, commit: 0 }, null], 0, 'public.lines')
    const [piece] = piecesOf(lanes[1]!, messages, changes, { newest: undefined, held: false })
    const lsnOf = (one: Piece) => [one.before, one.newest].map((seen) => (seen?.place?.of === 'postgres' ? Number(seen.place.lsn) : null))
    expect(lsnOf(piece!)).toEqual([null, 2])
    expect(lsnOf(cut(piece!, 0, 1))).toEqual([null, 1])
    expect(lsnOf(cut(piece!, 1, 3))).toEqual([1, 2])
  })
})
