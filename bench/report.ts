/** Figures as text: medians with their spread, tables for the terminal and for the page, and the page's sections written in place. */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { Problem } from '../utilities/values/problem.ts'

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const shown = (value: number): string => {
  if (value < 10) return value.toFixed(2)
  return value < 100 ? value.toFixed(1) : String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ')
}

/** The median, and the least and most when there were several runs. */
export function spread(values: readonly number[]): string {
  const range = values.length > 1 ? ` (${shown(Math.min(...values))}–${shown(Math.max(...values))})` : ''
  return shown(median(values)) + range
}

export const wholeNumber = (value: number): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ' ')

export const thousandRows = (rows: number, seconds: readonly number[]): string => spread(seconds.map((one) => rows / one / 1000))

export const megabytes = (bytes: readonly number[]): string => String(Math.round(median(bytes) / 1e6))

/** Markdown whose columns also line up on a terminal; all but the first are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, 3, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export const machine = (versions: Readonly<Record<string, string | undefined>>): string => {
  const named = Object.entries(versions).flatMap(([name, version]) => (version === undefined ? [] : [`${name} ${version}`]))
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${new Date().toISOString().slice(0, 10)}; ${processor}, ${availableParallelism()} cores, ${memory}; ${named.join(', ')}`
}

/** Replaces what stands between the markers of each section; what was not measured stays. */
export function writeSections(path: string, sections: ReadonlyMap<string, string>): void {
  let page = readFileSync(path, 'utf8')
  for (const [name, text] of sections) {
    const [begin, end] = [`<!-- measured: ${name} -->`, `<!-- end of ${name} -->`]
    const [from, to] = [page.indexOf(begin), page.indexOf(end)]
    if (from < 0 || to < from)
      throw new Problem(`${path} has no place for ${name}`, `Put the lines ${begin} and ${end} where it should stand.`)
    page = `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`
  }
  writeFileSync(path, page)
}
