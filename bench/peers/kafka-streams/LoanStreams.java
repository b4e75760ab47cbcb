import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The loan job in Kafka Streams, exactly once (v2): one source, one processor, one sink.
 * The processor keeps the rings in hand, one for each key, and writes each slot through to a store with a cache and a changelog, so that a record
 * costs two small puts, and a key that is met again after a start its gets.
 */
public final class LoanStreams {
  static final String HEAD = "head";

  static final class Enrich implements Processor<byte[], GenericRecord, byte[], GenericRecord> {
    private final LoanAvro avro;
    private ProcessorContext<byte[], GenericRecord> context;
    private final boolean keyed;
    private final Map<String, Features> inHand = new HashMap<>();
    private KeyValueStore<String, byte[]> store;

    Enrich(LoanAvro avro, boolean keyed) { this.avro = avro; this.keyed = keyed; }

    @Override public void init(ProcessorContext<byte[], GenericRecord> context) {
      this.context = context;
      store = context.getStateStore("ring");
    }

    private Features restored(String key) {
      byte[] head = store.get(key + HEAD);
      if (head == null) return new Features();
      ByteBuffer saved = ByteBuffer.wrap(head);
      double[] ring = new double[Features.LONG];
      for (int slot = 0; slot < ring.length; slot++) {
        byte[] score = store.get(key + slot);
        if (score != null) ring[slot] = ByteBuffer.wrap(score).getDouble();
      }
      return Features.restored(ring, saved.getLong(), saved.getDouble());
    }

    @Override public void process(Record<byte[], GenericRecord> record) {
      GenericRecord loan = record.value();
      String key = keyed ? avro.zip(loan) + " " : "";
      Features features = inHand.computeIfAbsent(key, this::restored);
      double score = avro.score(loan);
      int slot = (int) (features.rows % Features.LONG);
      features.add(score);
      store.put(key + slot, ByteBuffer.allocate(8).putDouble(score).array());
      store.put(key + HEAD, ByteBuffer.allocate(16).putLong(features.rows).putDouble(features.ema).array());
      context.forward(record.withValue(avro.withFeatures(loan, features)));
    }
  }

  public static void main(String[] args) {
    Words words = new Words(args);
    boolean keyed = words.get("keyed").equals("yes");
    LoanAvro avro = new LoanAvro(words.get("inSchema"), words.get("outSchema"));
    KeyValueBytesStoreSupplier supplier = words.get("store").equals("rocksdb") ? Stores.persistentKeyValueStore("ring") : Stores.inMemoryKeyValueStore("ring");
    StoreBuilder<KeyValueStore<String, byte[]>> store = Stores.keyValueStoreBuilder(supplier, Serdes.String(), Serdes.ByteArray()).withCachingEnabled();

    Deserializer<GenericRecord> decode = (topic, message) -> avro.decode(message);
    Serializer<GenericRecord> encode = (topic, row) -> avro.encode(row);
    Topology topology = new Topology();
    topology.addSource("in", new ByteArrayDeserializer(), decode, words.get("in"));
    topology.addProcessor("enrich", () -> new Enrich(avro, keyed), "in");
    topology.addStateStore(store, "enrich");
    topology.addSink("out", words.get("out"), new ByteArraySerializer(), encode, "enrich");

    KafkaStreams streams = new KafkaStreams(topology, settings(words));
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static Properties settings(Words words) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, words.get("id"));
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, words.get("brokers"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, words.get("stateDir"));
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, words.get("commitMs"));
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), words.get("pollRecords"));
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), words.get("batchBytes"));
    return settings;
  }
}
