/** A bar chart as SVG text: a bar for each median, a whisker from the least to the most; readable on light and dark pages. */
import { median } from '../report.ts'
import { at, escaped, niceStep, picture, topBelow, width } from '../svg.ts'

export type Bar = { readonly label: string; readonly note?: string; readonly values: readonly number[]; readonly own: boolean }
export type Chart = {
  readonly title: string
  /** A line each. */
  readonly subtitle: readonly string[]
  readonly bars: readonly Bar[]
  /** Puts a value into words. */
  readonly show: (value: number) => string
}

const labelWidth = 270
const valueWidth = 80
const barHeight = 22
const rowHeight = 36
const bottom = 34

const style = `
  .label { font-size: 13px }
  .value { font-size: 13px; font-weight: 600 }
  .own { fill: #0b7a75 }
  .peer { fill: #9aa7b4 }
  .whisker { stroke: #1f2328; stroke-width: 1.5; fill: none }`

const dark = `
    .own { fill: #2fb5ad }
    .peer { fill: #656f7a }
    .whisker { stroke: #e6edf3 }`

export function barChart({ title, subtitle, bars, show }: Chart): string {
  const most = Math.max(...bars.flatMap(({ values }) => values))
  const step = niceStep(most)
  const end = Math.ceil(most / step) * step
  const x = (value: number) => labelWidth + (value / end) * (width - labelWidth - valueWidth)
  const firstRow = topBelow(subtitle.length)
  const height = firstRow + bars.length * rowHeight + bottom
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step)
  const floor = height - bottom
  const grid = ticks.map(
    (tick) =>
      `<path class="grid" d="M${at(x(tick))} ${firstRow - 6}V${floor}"/><text class="small" x="${at(x(tick))}" y="${floor + 18}" ` +
      `text-anchor="middle">${show(tick)}</text>`,
  )
  return picture({
    title,
    subtitle,
    height,
    style,
    dark,
    drawn: [...grid, ...bars.flatMap((bar, i) => drawn(bar, firstRow + i * rowHeight, x, show))],
  })
}

function drawn({ label, note, values, own }: Bar, y: number, x: (value: number) => number, show: (value: number) => string): string[] {
  const [least, middle, most] = [Math.min(...values), median(values), Math.max(...values)]
  const centre = y + barHeight / 2
  const cap = (value: number) => `M${at(x(value))} ${centre - 5}V${centre + 5}`
  const whisker = most > least ? [`<path class="whisker" d="M${at(x(least))} ${centre}H${at(x(most))}${cap(least)}${cap(most)}"/>`] : []
  const words =
    note === undefined
      ? [`<text class="label" x="${labelWidth - 10}" y="${centre + 4}" text-anchor="end">${escaped(label)}</text>`]
      : [
          `<text class="label" x="${labelWidth - 10}" y="${centre - 2}" text-anchor="end">${escaped(label)}</text>`,
          `<text class="small" x="${labelWidth - 10}" y="${centre + 12}" text-anchor="end">${escaped(note)}</text>`,
        ]
  return [
    ...words,
    `<rect class="${own ? 'own' : 'peer'}" x="${labelWidth}" y="${y}" width="${at(x(middle) - labelWidth)}" height="${barHeight}" rx="2"/>`,
    ...whisker,
    `<text class="value" x="${at(x(most) + 8)}" y="${centre + 4}">${show(middle)}</text>`,
  ]
}
