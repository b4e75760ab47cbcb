"""The batch in Polars: polars_batch.py FILE.csv.gz OUT.parquet. It rounds a tie to the even digit."""
import os
import sys

os.environ["POLARS_MAX_THREADS"] = "2"
import polars as pl  # noqa: E402: it reads the number of threads when it loads

source, target = sys.argv[1:3]
columns = {
    "amount_requested": pl.Float64, "application_date": pl.Date, "loan_title": pl.String, "risk_score": pl.Float64, "debt_to_income_ratio": pl.String,
    "zip_code": pl.String, "state": pl.String, "employment_length": pl.String, "policy_code": pl.Float64,
}
score = pl.col("risk_score")
loans = pl.scan_csv(source, has_header=False, skip_rows=1, schema=columns)
rows = loans.with_columns(
    score.rolling_mean(50, min_samples=1).round(3).alias("ma50"),
    score.rolling_mean(100, min_samples=1).round(3).alias("ma100"),
    score.ewm_mean(alpha=2 / 51, adjust=False, ignore_nulls=True).forward_fill().round(3).alias("ema50"),
    pl.lit(0, pl.Int64).alias("_modified_ts"), pl.lit(0, pl.Int32).alias("_version"),
).with_row_index("_seq", offset=1)
rows.sink_parquet(target, compression="snappy")
