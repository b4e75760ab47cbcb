import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.functions.AggregateFunction;

/**
 * The loan job in Flink SQL, exactly once. A streaming SELECT takes one range of OVER, so the three are nested; SQL has no EMA, so that is an
 * aggregate function of our own.
 */
public final class LoanSql {
  public static class Level {
    public double value;
    public boolean seeded;
  }

  public static class Ema extends AggregateFunction<Double, Level> {
    @Override public Level createAccumulator() { return new Level(); }
    @Override public Double getValue(Level level) { return level.seeded ? level.value : null; }

    public void accumulate(Level level, Double score) {
      if (score == null) return;
      level.value = level.seeded ? level.value + Features.ALPHA * (score - level.value) : score;
      level.seeded = true;
    }
  }

  static final String LOAN = "seq BIGINT NOT NULL, amount_requested DOUBLE NOT NULL, application_date DATE NOT NULL, loan_title STRING, risk_score DOUBLE, "
    + "debt_to_income_ratio STRING, zip_code STRING, state STRING, employment_length STRING, policy_code DOUBLE";
  static final String NAMES = LOAN.replaceAll(" (BIGINT|DOUBLE|DATE|STRING)( NOT NULL)?", "");

  public static void main(String[] args) throws Exception {
    Words words = new Words(args);
    Configuration settings = new Configuration();
    settings.setString("execution.checkpointing.interval", words.get("checkpointMs") + "ms");
    settings.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    settings.setString("execution.checkpointing.dir", "file://" + words.get("stateDir"));
    settings.setString("state.backend.type", "hashmap");
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("parallelism.default", "1");
    StreamTableEnvironment tables = StreamTableEnvironment.create(StreamExecutionEnvironment.createLocalEnvironment(1, settings));

    String kafka = "'connector' = 'kafka', 'properties.bootstrap.servers' = '" + words.get("brokers") + "', 'value.format' = 'avro'";
    tables.createTemporarySystemFunction("EMA", Ema.class);
    tables.executeSql("CREATE TABLE inflow (" + LOAN + ", pt AS PROCTIME()) WITH (" + kafka + ", 'topic' = '" + words.get("in") + "', "
      + "'properties.group.id' = '" + words.get("id") + "', 'properties.isolation.level' = 'read_committed', "
      + "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset')");
    tables.executeSql("CREATE TABLE outflow (" + LOAN + ", ma50 DOUBLE, ma100 DOUBLE, ema50 DOUBLE) WITH (" + kafka + ", 'topic' = '" + words.get("out") + "', "
      + "'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '" + words.get("id") + "', "
      + "'properties.transaction.timeout.ms' = '600000', 'properties.batch.size' = '" + words.get("batchBytes") + "', 'properties.linger.ms' = '" + words.get("lingerMs") + "')");

    String withMa50 = "SELECT *, AVG(risk_score) OVER (ORDER BY pt ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS ma50 FROM inflow";
    String withMa100 = "SELECT *, AVG(risk_score) OVER (ORDER BY pt ROWS BETWEEN 99 PRECEDING AND CURRENT ROW) AS ma100 FROM (" + withMa50 + ")";
    String ema50 = "EMA(risk_score) OVER (ORDER BY pt ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)";
    tables.executeSql("INSERT INTO outflow SELECT " + NAMES + ", ROUND(ma50, 3), ROUND(ma100, 3), ROUND(" + ema50 + ", 3) FROM (" + withMa100 + ")").await();
    System.exit(0);
  }
}
