/** The terminal: results on stdout, everything else on stderr, progress that suits a person or a log file, and questions. */
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { count } from '../utilities/values/digits.ts'
import { toJson, type Json } from '../utilities/values/json.ts'
import { harmless, printable, seenOn } from '../utilities/values/printable.ts'
import type { Cell } from '../utilities/sql/cells.ts'
import { Problem } from '../utilities/values/problem.ts'
import { openRate } from './rate.ts'

export type Console = ReturnType<typeof openConsole>

export function openConsole({ json, yes }: { readonly json: boolean; readonly yes: boolean }) {
  const live = process.stderr.isTTY === true && !json
  let open = false
  const clear = () => {
    if (open) process.stderr.write('\r\x1b[K')
    open = false
  }

  return {
    json,
    /** The result: text for a person, the value for a machine. */
    result(text: string, value: Json) {
      clear()
      process.stdout.write(seenOn(process.stdout, json ? toJson(value) : text) + '\n')
    },
    /** A stretch of a long result; resolves when there is room for more. */
    async print(text: string) {
      clear()
      if (text !== '' && !process.stdout.write(seenOn(process.stdout, text))) await once(process.stdout, 'drain')
    },
    /** A line about what happens. */
    note(text: string) {
      clear()
      process.stderr.write(text.split('\n').map(printable).join('\n') + '\n')
    },
    /**
     * Rows so far, of how many when known; drawn on a terminal, a line every five seconds elsewhere. `mostWaitMs` is for what waits for
     * rows to come.
     */
    progress(what: string, { mostWaitMs = Infinity } = {}) {
      const startedMs = performance.now()
      const rate = openRate(startedMs, { mostWaitMs })
      let shownMs = startedMs
      let rows = 0
      return (more: number, { done, of }: { readonly done?: number; readonly of?: number } = {}) => {
        rows += more
        const nowMs = performance.now()
        const perSecond = rate.add(more, nowMs)
        if (json || nowMs - shownMs < (live ? 100 : 5000)) return
        shownMs = nowMs
        const part = done !== undefined && of ? done / of : undefined
        const left = part ? `, ${Math.round(100 * part)} %, ${duration((rate.seconds() * (1 - part)) / part)} left` : ''
        const line = `${what}: ${count(rows)} rows, ${count(Math.round(perSecond))} rows/s${left}`
        if (live) {
          process.stderr.write(`\r\x1b[K${line}`)
          open = true
        } else process.stderr.write(line + '\n')
      }
    },
    /** Asks before something that SQL users would see, or that cannot be taken back. */
    async confirm(question: string): Promise<boolean> {
      if (yes) return true
      if (!process.stdin.isTTY || json)
        throw new Problem(`${question} Nobody is there to answer`, 'Pass --yes to say yes in a script.', { usage: true })
      clear()
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      const answer = await lines.question(`${harmless(question)} [y/N] `).finally(() => lines.close())
      return /^y(es)?$/i.test(answer.trim())
    },
    close: clear,
  }
}

export const duration = (seconds: number): string =>
  seconds < 1
    ? `${Math.round(seconds * 1000)} ms`
    : seconds < 100
      ? `${seconds.toFixed(1)} s`
      : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`

/** A table for a person: numbers to the right, null as a dim word, long text cut. */
export function table(columns: readonly string[], rows: readonly (readonly Cell[])[], { widest = 60 } = {}): string {
  const names = columns.map((name) => clean(name, widest))
  const shown = rows.map((row) => row.map((cell) => (cell === null ? 'null' : clean(String(cell), widest))))
  const widths = names.map((name, i) => shown.reduce((most, row) => Math.max(most, width(row[i]!)), width(name)))
  const right = columns.map(
    (_, i) => rows.length > 0 && rows.every((row) => row[i] === null || typeof row[i] === 'number' || typeof row[i] === 'bigint'),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (right[i] ? ' '.repeat(widths[i]! - width(cell)) + cell : cell + ' '.repeat(widths[i]! - width(cell))))
      .join('  ')
      .trimEnd()
  return [line(names), line(widths.map((one) => '─'.repeat(one))), ...shown.map(line)].join('\n')
}

const clean = (text: string, widest: number): string => {
  const flat = harmless(text).replaceAll('\n', '⏎')
  return flat.length > widest ? flat.slice(0, widest - 1) + '…' : flat
}

/** Columns on a terminal: East Asian and emoji characters take two. */
const width = (text: string): number => {
  let columns = 0
  for (const character of text)
    columns +=
      /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(
        character,
      )
        ? 2
        : 1
  return columns
}
