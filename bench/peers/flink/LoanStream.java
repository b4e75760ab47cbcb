import java.io.IOException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.formats.avro.typeutils.GenericRecordAvroTypeInfo;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** The loan job as a Flink DataStream, exactly once: source, keyed process function and sink in one chain, so that no record is copied between them. */
public final class LoanStream {
  static final class Decode implements DeserializationSchema<GenericRecord> {
    private final String inSchema, outSchema;
    private final TypeInformation<GenericRecord> type;
    private transient LoanAvro avro;

    Decode(String inSchema, String outSchema, TypeInformation<GenericRecord> type) { this.inSchema = inSchema; this.outSchema = outSchema; this.type = type; }

    @Override public void open(InitializationContext context) { avro = new LoanAvro(inSchema, outSchema); }
    @Override public GenericRecord deserialize(byte[] message) { return avro.decode(message); }
    @Override public boolean isEndOfStream(GenericRecord loan) { return false; }
    @Override public TypeInformation<GenericRecord> getProducedType() { return type; }
  }

  static final class Encode implements SerializationSchema<GenericRecord> {
    private final String inSchema, outSchema;
    private transient LoanAvro avro;

    Encode(String inSchema, String outSchema) { this.inSchema = inSchema; this.outSchema = outSchema; }

    @Override public void open(InitializationContext context) { avro = new LoanAvro(inSchema, outSchema); }
    @Override public byte[] serialize(GenericRecord row) { return avro.encode(row); }
  }

  static final class Enrich extends KeyedProcessFunction<String, GenericRecord, GenericRecord> {
    private final String inSchema, outSchema;
    private transient LoanAvro avro;
    private transient ValueState<Features> state;

    Enrich(String inSchema, String outSchema) { this.inSchema = inSchema; this.outSchema = outSchema; }

    @Override public void open(OpenContext context) {
      avro = new LoanAvro(inSchema, outSchema);
      state = getRuntimeContext().getState(new ValueStateDescriptor<>("features", TypeInformation.of(Features.class)));
    }

    @Override public void processElement(GenericRecord loan, Context context, Collector<GenericRecord> out) throws IOException {
      Features features = state.value();
      if (features == null) features = new Features();
      features.add(avro.score(loan));
      state.update(features);
      out.collect(avro.withFeatures(loan, features));
    }
  }

  static final class ZipOf implements KeySelector<GenericRecord, String> {
    private final String inSchema, outSchema;
    private transient LoanAvro avro;

    ZipOf(String inSchema, String outSchema) { this.inSchema = inSchema; this.outSchema = outSchema; }

    @Override public String getKey(GenericRecord loan) {
      if (avro == null) avro = new LoanAvro(inSchema, outSchema);
      return avro.zip(loan);
    }
  }

  public static void main(String[] args) throws Exception {
    Words words = new Words(args);
    String in = words.get("inSchema"), out = words.get("outSchema");
    Configuration settings = new Configuration();
    settings.setString("execution.checkpointing.interval", words.get("checkpointMs") + "ms");
    settings.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    settings.setString("execution.checkpointing.dir", "file://" + words.get("stateDir"));
    settings.setString("state.backend.type", "hashmap");
    settings.setString("pipeline.object-reuse", "true");
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(1, settings);

    TypeInformation<GenericRecord> loanType = new GenericRecordAvroTypeInfo(new Schema.Parser().parse(new java.io.File(in)));
    TypeInformation<GenericRecord> rowType = new GenericRecordAvroTypeInfo(new Schema.Parser().parse(new java.io.File(out)));
    KafkaSource<GenericRecord> source = KafkaSource.<GenericRecord>builder()
      .setBootstrapServers(words.get("brokers")).setTopics(words.get("in")).setGroupId(words.get("id"))
      .setStartingOffsets(OffsetsInitializer.earliest()).setBounded(OffsetsInitializer.latest())
      .setProperty("isolation.level", "read_committed").setProperty("max.poll.records", words.get("pollRecords"))
      .setValueOnlyDeserializer(new Decode(in, out, loanType)).build();
    KafkaSink<GenericRecord> sink = KafkaSink.<GenericRecord>builder()
      .setBootstrapServers(words.get("brokers"))
      .setRecordSerializer(KafkaRecordSerializationSchema.<GenericRecord>builder().setTopic(words.get("out")).setValueSerializationSchema(new Encode(in, out)).build())
      .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix(words.get("id"))
      .setProperty("transaction.timeout.ms", "600000").setProperty("batch.size", words.get("batchBytes")).setProperty("linger.ms", words.get("lingerMs"))
      .build();

    DataStream<GenericRecord> loans = environment.fromSource(source, WatermarkStrategy.noWatermarks(), "in");
    KeySelector<GenericRecord, String> key = words.get("keyed").equals("yes") ? new ZipOf(in, out) : loan -> "";
    // With one thread the partitioning that keyBy would do changes nothing but the speed: each record would go through a buffer as bytes.
    KeyedStream<GenericRecord, String> keyed = words.get("chained").equals("yes") ? DataStreamUtils.reinterpretAsKeyedStream(loans, key, Types.STRING) : loans.keyBy(key, Types.STRING);
    keyed.process(new Enrich(in, out)).returns(rowType).sinkTo(sink);
    environment.execute("loans");
    System.exit(0);
  }
}
