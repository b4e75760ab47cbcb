/** What was measured, lane by lane, and the tables made of it. */
import { megabytes, median, spread, table, wholeNumber } from '../report.ts'
import type { Outcome } from './rounds.ts'

export type LaneResult = {
  readonly word: string
  readonly name: string
  /** What it promises, or what it computes. */
  readonly how: string
  /** One for each round in which it went well, by the number of the round. */
  readonly rounds: ReadonlyMap<number, Outcome>
}

export type Figure = (outcome: Outcome) => number

/** While it works; of what is too short to tell, of the whole process. */
export const workingRate: Figure = ({ measured: { rate, rows, seconds } }) => rate ?? rows / seconds
export const wholeRate: Figure = ({ measured: { rows, seconds } }) => rows / seconds

export const valuesOf = ({ rounds }: LaneResult, figure: Figure): number[] => [...rounds.values()].map(figure)

/** How many times as fast the first is, round by round. */
export function ratios(mine: LaneResult, theirs: LaneResult, figure: Figure): number[] {
  return [...theirs.rounds].flatMap(([round, outcome]) => {
    const own = mine.rounds.get(round)
    return own ? [figure(own) / figure(outcome)] : []
  })
}

const thousands = (values: readonly number[]) => spread(values.map((value) => value / 1000))
const processor: Figure = ({ measured: { cpuSeconds, rows } }) => (cpuSeconds / rows) * 1e6
const broker: Figure = ({ measured: { brokerSeconds, rows } }) => (brokerSeconds / rows) * 1e6

export type TableWords = { readonly head: string; readonly how: string; readonly working: boolean }

/** Tidemark first; each ratio says how many times as fast it is as the peer. */
export function resultTable([mine, ...peers]: readonly LaneResult[], { head, how, working }: TableWords): string {
  const columns: readonly (readonly [string, (lane: LaneResult) => string])[] = [
    [head, ({ name }) => name],
    [how, (lane) => lane.how],
    ['rows', ({ rounds }) => wholeNumber([...rounds.values()][0]!.measured.rows)],
    ...(working ? [['thousand rows/s, working', (lane: LaneResult) => thousands(valuesOf(lane, workingRate))] as const] : []),
    ['thousand rows/s, whole process', (lane) => thousands(valuesOf(lane, wholeRate))],
    ['processor µs a row', (lane) => spread(valuesOf(lane, processor))],
    ...(working ? [['of the broker', (lane: LaneResult) => spread(valuesOf(lane, broker))] as const] : []),
    ['peak MB', (lane) => megabytes(valuesOf(lane, ({ measured }) => measured.peakBytes))],
    ['others took %', (lane) => spread(valuesOf(lane, ({ measured }) => 100 * measured.othersShare))],
    ['Tidemark is … times as fast', (lane) => ratioText(mine, lane, working ? workingRate : wholeRate)],
  ]
  const shown = [mine, ...peers].filter((lane) => lane !== undefined && lane.rounds.size > 0) as LaneResult[]
  if (shown.length === 0) return ''
  return table(
    columns.map(([name]) => name),
    shown.map((lane) => columns.map(([, cell]) => cell(lane))),
  )
}

function ratioText(mine: LaneResult | undefined, lane: LaneResult, figure: Figure): string {
  if (!mine || mine === lane) return ''
  const all = ratios(mine, lane, figure)
  return all.length === 0 ? '' : spread(all)
}

/** Who rounded how many values the other way. */
export function tiesText(lanes: readonly LaneResult[]): string {
  const each = lanes.flatMap(({ name, rounds }) => {
    const outcome = [...rounds.values()].at(-1)
    return outcome && outcome.ties > 0 ? [`${name} ${wholeNumber(outcome.ties)}`] : []
  })
  return each.length === 0
    ? ''
    : 'Values that are 0.001 off because the exact one lies half-way and was rounded the other way, each checked to be such: ' +
        `${each.join(', ')}.`
}

/** For other programs: small, and stable in its order. */
export function resultJson(all: readonly LaneResult[], about: object): string {
  const rounded = (value: number) => Number(value.toPrecision(4))
  const lanes = all
    .filter(({ rounds }) => rounds.size > 0)
    .map((lane) => ({
      lane: lane.word,
      name: lane.name,
      how: lane.how,
      medianRowsPerSecond: {
        working: rounded(median(valuesOf(lane, workingRate))),
        wholeProcess: rounded(median(valuesOf(lane, wholeRate))),
      },
      rounds: [...lane.rounds].map(([round, { measured, ties }]) => ({
        round,
        rows: measured.rows,
        seconds: rounded(measured.seconds),
        rowsPerSecondWorking: measured.rate === undefined ? null : rounded(measured.rate),
        processorSeconds: rounded(measured.cpuSeconds),
        brokerSeconds: rounded(measured.brokerSeconds),
        peakMegabytes: Math.round(measured.peakBytes / 1e6),
        othersShare: Number(measured.othersShare.toFixed(2)),
        ties,
      })),
    }))
  return `${JSON.stringify({ ...about, lanes }, null, 1)}\n`
}
