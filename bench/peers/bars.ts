/** A bar chart as SVG text: a bar for each median, a whisker from the least to the most; readable on light and dark pages. */
import { median } from '../report.ts'

export type Bar = { readonly label: string; readonly note?: string; readonly values: readonly number[]; readonly own: boolean }
export type Chart = { readonly title: string; /** A line each. */ readonly subtitle: readonly string[]; readonly bars: readonly Bar[]; /** Puts a value into words. */ readonly show: (value: number) => string }

const width = 820
const labelWidth = 270
const valueWidth = 80
const barHeight = 22
const rowHeight = 36
const top = 36
const lineHeight = 18
const bottom = 34

// A background of its own: the page's theme may be another than the one the picture is told of.
const style = `
  .page { fill: #ffffff }
  text { font-family: system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .small { font-size: 12px; fill: #59636e }
  .label { font-size: 13px }
  .value { font-size: 13px; font-weight: 600 }
  .own { fill: #0b7a75 }
  .peer { fill: #9aa7b4 }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .whisker { stroke: #1f2328; stroke-width: 1.5; fill: none }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .own { fill: #2fb5ad }
    .peer { fill: #656f7a }
    .grid { stroke: #3d444d }
    .whisker { stroke: #e6edf3 }
  }`

export function barChart({ title, subtitle, bars, show }: Chart): string {
  const most = Math.max(...bars.flatMap(({ values }) => values))
  const step = niceStep(most)
  const end = Math.ceil(most / step) * step
  const x = (value: number) => labelWidth + (value / end) * (width - labelWidth - valueWidth)
  const firstRow = top + subtitle.length * lineHeight + 12
  const height = firstRow + bars.length * rowHeight + bottom
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step)
  const floor = height - bottom
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    `<text class="title" x="12" y="26">${escaped(title)}</text>`,
    ...subtitle.map((line, i) => `<text class="small" x="12" y="${top + 10 + i * lineHeight}">${escaped(line)}</text>`),
    ...ticks.map((tick) => `<path class="grid" d="M${at(x(tick))} ${firstRow - 6}V${floor}"/><text class="small" x="${at(x(tick))}" y="${floor + 18}" text-anchor="middle">${show(tick)}</text>`),
    ...bars.flatMap((bar, i) => drawn(bar, firstRow + i * rowHeight, x, show)),
    '</svg>',
    '',
  ].join('\n')
}

function drawn({ label, note, values, own }: Bar, y: number, x: (value: number) => number, show: (value: number) => string): string[] {
  const [least, middle, most] = [Math.min(...values), median(values), Math.max(...values)]
  const centre = y + barHeight / 2
  const cap = (value: number) => `M${at(x(value))} ${centre - 5}V${centre + 5}`
  const whisker = most > least ? [`<path class="whisker" d="M${at(x(least))} ${centre}H${at(x(most))}${cap(least)}${cap(most)}"/>`] : []
  const words = note === undefined
    ? [`<text class="label" x="${labelWidth - 10}" y="${centre + 4}" text-anchor="end">${escaped(label)}</text>`]
    : [`<text class="label" x="${labelWidth - 10}" y="${centre - 2}" text-anchor="end">${escaped(label)}</text>`, `<text class="small" x="${labelWidth - 10}" y="${centre + 12}" text-anchor="end">${escaped(note)}</text>`]
  return [
    ...words,
    `<rect class="${own ? 'own' : 'peer'}" x="${labelWidth}" y="${y}" width="${at(x(middle) - labelWidth)}" height="${barHeight}" rx="2"/>`,
    ...whisker,
    `<text class="value" x="${at(x(most) + 8)}" y="${centre + 4}">${show(middle)}</text>`,
  ]
}

/** 1, 2 or 5 times a power of ten, for four to eight lines. */
function niceStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => most / step <= 7) ?? 10 * power
}

const at = (value: number) => String(Math.round(value * 10) / 10)
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
