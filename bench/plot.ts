/**
 * A line plot as SVG text: how a cost goes with a size, one line for each thing measured, named where it ends; readable on light and dark
 * pages.
 */
import { at, escaped, niceStep, picture, topBelow, width } from './svg.ts'

export type Line = { readonly name: string; readonly points: readonly { readonly x: number; readonly y: number }[] }

export type Plot = {
  readonly title: string
  /** A line each. */
  readonly subtitle: readonly string[]
  readonly lines: readonly Line[]
  /** What stands under the horizontal axis; its steps are the sizes measured. */
  readonly across: string
  /** By factors: where sizes go over several powers of ten. */
  readonly log: boolean
}

const [left, right, bottom, plotHeight] = [64, 190, 52, 280]
const leastGap = 16

const colours = [
  ['#0b7a75', '#2fb5ad'],
  ['#b35900', '#f0883e'],
  ['#8250df', '#bc8cff'],
  ['#0969da', '#58a6ff'],
  ['#bf3989', '#f778ba'],
  ['#57606a', '#9198a1'],
] as const

const style = `
  .line { fill: none; stroke-width: 2 }
  .name { font-size: 13px }${colours.map(([light], i) => `\n  .l${i} { stroke: ${light} }\n  .d${i} { fill: ${light} }`).join('')}`

const dark = colours.map(([, pale], i) => `\n    .l${i} { stroke: ${pale} }\n    .d${i} { fill: ${pale} }`).join('')

export function linePlot({ title, subtitle, lines, across, log }: Plot): string {
  const points = lines.flatMap((line) => line.points)
  const top = topBelow(subtitle.length)
  const floor = top + plotHeight
  const height = floor + bottom
  const sizes = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b)
  const [least, most] = [sizes[0]!, sizes.at(-1)!]
  const step = niceStep(Math.max(...points.map(({ y }) => y)))
  const steps = Math.ceil(Math.max(...points.map(({ y }) => y)) / step)
  const place = (x: number) => (log ? Math.log(x / least) / Math.log(most / least) : (x - least) / (most - least))
  const x = (size: number) => left + (most === least ? 0 : place(size)) * (width - left - right)
  const y = (cost: number) => floor - (cost / (step * steps)) * plotHeight
  const levels = Array.from({ length: steps + 1 }, (_, i) => i * step)
  return picture({
    title,
    subtitle,
    height,
    style,
    dark,
    drawn: [
      ...levels.map(
        (level) =>
          `<path class="grid" d="M${left} ${at(y(level))}H${width - right}"/><text class="small" x="${left - 8}" ` +
          `y="${at(y(level) + 4)}" text-anchor="end">${shown(level)}</text>`,
      ),
      ...readable(sizes, x).map(
        (size) =>
          `<path class="grid" d="M${at(x(size))} ${floor}v5"/><text class="small" x="${at(x(size))}" y="${floor + 18}" ` +
          `text-anchor="middle">${shown(size)}</text>`,
      ),
      `<text class="small" x="${at((left + width - right) / 2)}" y="${height - 12}" text-anchor="middle">${escaped(across)}</text>`,
      ...lines.map(
        ({ points }, i) => `<path class="line l${i}" d="M${points.map((point) => `${at(x(point.x))} ${at(y(point.y))}`).join('L')}"/>`,
      ),
      ...lines.flatMap(({ points }, i) =>
        points.map((point) => `<circle class="d${i}" cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="3.5"/>`),
      ),
      ...namePlaces(
        lines.map(({ points }) => y(points.at(-1)!.y)),
        floor,
      ).map((place, i) => `<text class="name d${i}" x="${width - right + 12}" y="${at(place + 4)}">${escaped(lines[i]!.name)}</text>`),
    ],
  })
}

/** Names keep their order from above and as much room as a line of text needs. */
function namePlaces(wanted: readonly number[], floor: number): number[] {
  const places = [...wanted]
  const order = [...wanted.keys()].sort((a, b) => wanted[a]! - wanted[b]!)
  for (const [i, line] of order.entries()) if (i > 0) places[line] = Math.max(places[line]!, places[order[i - 1]!]! + leastGap)
  const over = Math.max(0, places[order.at(-1)!]! - floor)
  for (const line of order) places[line] = places[line]! - over
  return places
}

/** Not so close together that one stands in the other. */
const readable = (sizes: readonly number[], x: (size: number) => number) =>
  sizes.reduce<number[]>((kept, size) => (kept.length === 0 || x(size) - x(kept.at(-1)!) >= 44 ? [...kept, size] : kept), [])

/** 1.5, 200, 50k, 1M. */
function shown(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  return value >= 10_000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(3)))
}
