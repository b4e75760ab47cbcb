/** The three features in a kafkajs program: as running sums over a ring, and as they are often written at first. */

const alpha = 2 / 51
const rounded = (value: number) => Math.floor(value * 1000 + 0.5) / 1000

export type Values = { readonly ma50: number | null; readonly ma100: number | null; readonly ema50: number | null }

export function ringFeatures(): (score: number | null) => Values {
  const ring = new Float64Array(100)
  let [rows, shortSum, shortCount, longSum, longCount, ema] = [0, 0, 0, 0, 0, NaN]
  return (score) => {
    if (rows >= 100) {
      const gone = ring[rows % 100]!
      if (gone === gone) {
        longSum -= gone
        longCount--
      }
    }
    if (rows >= 50) {
      const gone = ring[(rows - 50) % 100]!
      if (gone === gone) {
        shortSum -= gone
        shortCount--
      }
    }
    ring[rows++ % 100] = score ?? NaN
    if (score !== null) {
      shortSum += score
      shortCount++
      longSum += score
      longCount++
      ema = ema === ema ? ema + alpha * (score - ema) : score
    }
    return {
      ma50: shortCount > 0 ? rounded(shortSum / shortCount) : null,
      ma100: longCount > 0 ? rounded(longSum / longCount) : null,
      ema50: ema === ema ? rounded(ema) : null,
    }
  }
}

export function simpleFeatures(): (score: number | null) => Values {
  const scores: (number | null)[] = []
  let ema: number | null = null
  const mean = (last: number) => {
    const window = scores.slice(-last).filter((score) => score !== null)
    return window.length > 0 ? rounded(window.reduce((sum, score) => sum + score, 0) / window.length) : null
  }
  return (score) => {
    scores.push(score)
    if (scores.length > 100) scores.shift()
    if (score !== null) ema = ema === null ? score : ema + alpha * (score - ema)
    return { ma50: mean(50), ma100: mean(100), ema50: ema === null ? null : rounded(ema) }
  }
}
