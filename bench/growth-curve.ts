/** A curve of growth: what was measured at each size, drawn as a picture and written as a table. */
import { linePlot, type Line } from './plot.ts'
import { median, spread, table, wholeNumber } from './report.ts'

export type Measured = { readonly size: number; readonly values: readonly number[] }

export type Curve = {
  /** The picture's name, and the section of docs/benchmarks.md. */
  readonly name: string
  readonly title: string
  readonly subtitle: readonly string[]
  readonly across: string
  readonly log: boolean
  readonly lines: readonly { readonly name: string; readonly points: readonly Measured[] }[]
}

export const pictureOf = ({ title, subtitle, across, log, lines }: Curve): string =>
  linePlot({
    title,
    subtitle,
    across,
    log,
    lines: lines.map(({ name, points }): Line => ({ name, points: points.map(({ size, values }) => ({ x: size, y: median(values) })) })),
  })

export function tableOf({ across, lines }: Curve): string {
  const sizes = [...new Set(lines.flatMap(({ points }) => points.map(({ size }) => size)))].sort((a, b) => a - b)
  const cell = (points: readonly Measured[], size: number) => {
    const point = points.find((one) => one.size === size)
    return point ? spread(point.values.every((value) => value === point.values[0]) ? point.values.slice(0, 1) : point.values) : '–'
  }
  return table(
    [across, ...sizes.map(wholeNumber)],
    lines.map(({ name, points }) => [name, ...sizes.map((size) => cell(points, size))]),
  )
}

export type GrowthOptions = {
  readonly quick: boolean
  readonly runs: number
  /** In place of the usual ones. */
  readonly sizes: readonly number[] | undefined
  readonly say: (text: string) => void
}
