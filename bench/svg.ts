/**
 * What all pictures of measurements share: the frame with its title, colours for light and dark pages, and steps for the lines of an axis.
 */

export const width = 820
const lineHeight = 18

/** Where the drawing begins, below a subtitle of so many lines. */
export const topBelow = (lines: number) => 48 + lines * lineHeight

// A background of its own: the page's theme may be another than the one the picture is told of.
const common = `
  .page { fill: #ffffff }
  text { font-family: system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .small { font-size: 12px; fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1 }`

const commonDark = `
    .page { fill: #0d1117 }
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .grid { stroke: #3d444d }`

export type Picture = {
  readonly title: string
  /** A line each. */
  readonly subtitle: readonly string[]
  readonly height: number
  /** Rules of its own, and those that replace them on dark pages. */
  readonly style: string
  readonly dark: string
  readonly drawn: readonly string[]
}

export const picture = ({ title, subtitle, height, style, dark, drawn }: Picture): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ` +
      `aria-label="${escaped(title)}">`,
    `<style>${common}${style}\n  @media (prefers-color-scheme: dark) {${commonDark}${dark}\n  }\n</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    `<text class="title" x="12" y="26">${escaped(title)}</text>`,
    ...subtitle.map((line, i) => `<text class="small" x="12" y="${46 + i * lineHeight}">${escaped(line)}</text>`),
    ...drawn,
    '</svg>',
    '',
  ].join('\n')

/** 1, 2 or 5 times a power of ten, for four to eight lines. */
export function niceStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => most / step <= 7) ?? 10 * power
}

export const at = (value: number) => String(Math.round(value * 10) / 10)
export const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
