import java.io.Serializable;

/** The three features as running sums over a ring of the last hundred scores: what every peer on the JVM computes. */
public final class Features implements Serializable {
  static final int LONG = 100, SHORT = 50;
  static final double ALPHA = 2.0 / (SHORT + 1);

  /** Public and mutable, so that Flink can keep it as a POJO. NaN stands for a row without a score. */
  public double[] ring = new double[LONG];
  public long rows;
  public double ema = Double.NaN, shortSum, longSum;
  public int shortCount, longCount;

  public void add(double score) {
    if (rows >= LONG) {
      double gone = ring[(int) (rows % LONG)];
      if (!Double.isNaN(gone)) { longSum -= gone; longCount--; }
    }
    if (rows >= SHORT) {
      double gone = ring[(int) ((rows - SHORT) % LONG)];
      if (!Double.isNaN(gone)) { shortSum -= gone; shortCount--; }
    }
    ring[(int) (rows % LONG)] = score;
    rows++;
    if (Double.isNaN(score)) return;
    ema = Double.isNaN(ema) ? score : ema + ALPHA * (score - ema);
    shortSum += score;
    shortCount++;
    longSum += score;
    longCount++;
  }

  /** From what was kept: the score of every slot, the number of rows and the level of the EMA. */
  public static Features restored(double[] ring, long rows, double ema) {
    Features features = new Features();
    features.ring = ring;
    features.rows = rows;
    features.ema = ema;
    for (long row = Math.max(0, rows - LONG); row < rows; row++) {
      double score = ring[(int) (row % LONG)];
      if (Double.isNaN(score)) continue;
      features.longSum += score;
      features.longCount++;
      if (row < rows - SHORT) continue;
      features.shortSum += score;
      features.shortCount++;
    }
    return features;
  }

  public Double ma50() { return shortCount == 0 ? null : rounded(shortSum / shortCount); }
  public Double ma100() { return longCount == 0 ? null : rounded(longSum / longCount); }
  public Double ema50() { return Double.isNaN(ema) ? null : rounded(ema); }

  static double rounded(double value) { return Math.floor(value * 1000 + 0.5) / 1000; }
}
