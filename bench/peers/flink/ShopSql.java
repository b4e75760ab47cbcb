import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/** The shop in Flink SQL, exactly once: its four tables as topics of changes by key, joined, and totals of each account in a topic by key. */
public final class ShopSql {
  public static void main(String[] args) throws Exception {
    Words words = new Words(args);
    Configuration settings = new Configuration();
    settings.setString("execution.checkpointing.interval", words.get("checkpointMs") + "ms");
    settings.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    settings.setString("execution.checkpointing.dir", "file://" + words.get("stateDir"));
    settings.setString("state.backend.type", "hashmap");
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("parallelism.default", "1");
    if (!words.get("miniBatchMs").equals("0")) {
      settings.setString("table.exec.mini-batch.enabled", "true");
      settings.setString("table.exec.mini-batch.allow-latency", words.get("miniBatchMs") + "ms");
      settings.setString("table.exec.mini-batch.size", "20000");
    }
    StreamTableEnvironment tables = StreamTableEnvironment.create(StreamExecutionEnvironment.createLocalEnvironment(1, settings));

    table(tables, words, "accounts", "account_id STRING, company_name STRING, contact_name STRING, email STRING", "account_id");
    table(tables, words, "skus", "item_id STRING, item_name STRING, item_retail_price DECIMAL(12, 2)", "item_id");
    table(tables, words, "invoices", "invoice_id BIGINT, account_id STRING, `period` STRING, date_issued DATE, date_paid DATE", "invoice_id");
    table(tables, words, "lines", "invoice_id BIGINT, item_id STRING, quantity BIGINT", "invoice_id, item_id");
    tables.executeSql("CREATE TABLE totals (account_id STRING, owing DECIMAL(38, 2), late_share DOUBLE, invoices BIGINT, items BIGINT, largest DECIMAL(24, 2), "
      + "PRIMARY KEY (account_id) NOT ENFORCED) WITH (" + upsert(words) + ", 'topic' = '" + words.get("out") + "', "
      + "'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '" + words.get("id") + "', "
      + "'properties.transaction.timeout.ms' = '600000', 'properties.batch.size' = '" + words.get("batchBytes") + "', 'properties.linger.ms' = '" + words.get("lingerMs") + "')");

    String facts = "SELECT i.account_id, l.invoice_id, l.item_id, CAST(l.quantity * s.item_retail_price AS DECIMAL(24, 2)) AS amount, "
      + "i.date_paid IS NULL AS unpaid, TIMESTAMPDIFF(DAY, i.date_issued, i.date_paid) > 30 AS paid_late "
      + "FROM lines l JOIN invoices i ON i.invoice_id = l.invoice_id JOIN accounts a ON a.account_id = i.account_id JOIN skus s ON s.item_id = l.item_id";
    tables.executeSql("INSERT INTO totals SELECT account_id, SUM(amount) FILTER (WHERE unpaid), "
      + "AVG(CASE paid_late WHEN TRUE THEN 1E0 WHEN FALSE THEN 0E0 END), COUNT(DISTINCT invoice_id), COUNT(DISTINCT item_id), MAX(amount) "
      + "FROM (" + facts + ") GROUP BY account_id").await();
    System.exit(0);
  }

  static void table(StreamTableEnvironment tables, Words words, String name, String columns, String key) {
    tables.executeSql("CREATE TABLE " + name + " (" + columns + ", PRIMARY KEY (" + key + ") NOT ENFORCED) WITH (" + upsert(words)
      + ", 'topic' = '" + words.get("in") + name + "', 'properties.group.id' = '" + words.get("id") + "', "
      + "'properties.isolation.level' = 'read_committed', 'properties.max.poll.records' = '" + words.get("pollRecords") + "')");
  }

  static String upsert(Words words) {
    return "'connector' = 'upsert-kafka', 'properties.bootstrap.servers' = '" + words.get("brokers") + "', 'key.format' = 'json', 'value.format' = 'json'";
  }
}
