import java.nio.ByteBuffer;
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
 * The processor keeps its ring in hand and writes each slot through to a store with a cache and a changelog, so that a record costs two small puts
 * and no get.
 */
public final class LoanStreams {
  static final int HEAD = -1;

  static final class Enrich implements Processor<byte[], GenericRecord, byte[], GenericRecord> {
    private final LoanAvro avro;
    private ProcessorContext<byte[], GenericRecord> context;
    private KeyValueStore<Integer, byte[]> store;
    private Features features;

    Enrich(LoanAvro avro) { this.avro = avro; }

    @Override public void init(ProcessorContext<byte[], GenericRecord> context) {
      this.context = context;
      store = context.getStateStore("ring");
      features = restored();
    }

    private Features restored() {
      byte[] head = store.get(HEAD);
      if (head == null) return new Features();
      ByteBuffer saved = ByteBuffer.wrap(head);
      double[] ring = new double[Features.LONG];
      for (int slot = 0; slot < ring.length; slot++) {
        byte[] score = store.get(slot);
        if (score != null) ring[slot] = ByteBuffer.wrap(score).getDouble();
      }
      return Features.restored(ring, saved.getLong(), saved.getDouble());
    }

    @Override public void process(Record<byte[], GenericRecord> record) {
      GenericRecord loan = record.value();
      double score = avro.score(loan);
      int slot = (int) (features.rows % Features.LONG);
      features.add(score);
      store.put(slot, ByteBuffer.allocate(8).putDouble(score).array());
      store.put(HEAD, ByteBuffer.allocate(16).putLong(features.rows).putDouble(features.ema).array());
      context.forward(record.withValue(avro.withFeatures(loan, features)));
    }
  }

  public static void main(String[] args) {
    Words words = new Words(args);
    LoanAvro avro = new LoanAvro(words.get("inSchema"), words.get("outSchema"));
    KeyValueBytesStoreSupplier supplier = words.get("store").equals("rocksdb") ? Stores.persistentKeyValueStore("ring") : Stores.inMemoryKeyValueStore("ring");
    StoreBuilder<KeyValueStore<Integer, byte[]>> store = Stores.keyValueStoreBuilder(supplier, Serdes.Integer(), Serdes.ByteArray()).withCachingEnabled();

    Deserializer<GenericRecord> decode = (topic, message) -> avro.decode(message);
    Serializer<GenericRecord> encode = (topic, row) -> avro.encode(row);
    Topology topology = new Topology();
    topology.addSource("in", new ByteArrayDeserializer(), decode, words.get("in"));
    topology.addProcessor("enrich", () -> new Enrich(avro), "in");
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
