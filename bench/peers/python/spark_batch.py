"""The batch in PySpark on two threads: spark_batch.py FILE.csv.gz OUT.parquet. Without ema50: its windows know no such function."""
import sys

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f

source, target = sys.argv[1:3]
settings = {
    "spark.driver.memory": "2g", "spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
}
builder = SparkSession.builder.master("local[2]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
schema = (
    "amount_requested DOUBLE, application_date DATE, loan_title STRING, risk_score DOUBLE, debt_to_income_ratio STRING, zip_code STRING, state STRING, "
    "employment_length STRING, policy_code DOUBLE"
)
# Quoted cells hold line breaks. A gzip file is one partition, so these numbers are those of the rows.
loans = spark.read.csv(source, header=True, schema=schema, multiLine=True, escape='"').withColumn("_seq", f.monotonically_increasing_id() + 1)


def mean(last):
    return f.round(f.avg("risk_score").over(Window.orderBy("_seq").rowsBetween(1 - last, 0)), 3)


rows = loans.withColumn("ma50", mean(50)).withColumn("ma100", mean(100)).withColumn("_modified_ts", f.lit(0).cast("long")).withColumn("_version", f.lit(0))
rows.write.parquet(target)
