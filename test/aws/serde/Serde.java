import com.amazonaws.services.schemaregistry.deserializers.GlueSchemaRegistryKafkaDeserializer;
import com.amazonaws.services.schemaregistry.kafkaconnect.AWSKafkaAvroConverter;
import com.amazonaws.services.schemaregistry.serializers.GlueSchemaRegistryKafkaSerializer;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;
import org.apache.kafka.connect.data.SchemaAndValue;

/**
 * AWS's own serializers for the Glue Schema Registry, a question a line: words parted by tabs, bytes as base64.
 * decode BYTES; encode NONE|ZLIB NAME SCHEMA JSON; connect NONE|ZLIB NAME BYTES, which goes through Kafka Connect's form and back.
 */
public final class Serde {
  public static void main(String[] args) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      String answer;
      try {
        answer = "ok\t" + answer(args[0], args[1], args[2], line.split("\t"));
      } catch (Throwable error) {
        answer = "error\t" + reason(error);
      }
      System.out.println(answer);
    }
  }

  private static String reason(Throwable error) {
    var text = new StringBuilder();
    for (Throwable one = error; one != null; one = one.getCause()) text.append(one).append("; ");
    return text.toString().replaceAll("\\s+", " ");
  }

  private static String answer(String endpoint, String region, String registry, String[] words) throws Exception {
    Map<String, Object> settings = new HashMap<>(Map.of("endpoint", endpoint, "region", region, "registry.name", registry,
        "dataFormat", "AVRO", "avroRecordType", "GENERIC_RECORD"));
    if (words.length > 2) settings.putAll(Map.of("compression", words[1], "schemaName", words[2], "schemaAutoRegistrationEnabled", words[0].equals("connect")));
    switch (words[0]) {
      case "decode":
        return base64(json((GenericRecord) new GlueSchemaRegistryKafkaDeserializer(settings).deserialize("topic", bytes(words[1]))));
      case "encode":
        var schema = new Schema.Parser().parse(new String(bytes(words[3]), StandardCharsets.UTF_8));
        var json = DecoderFactory.get().jsonDecoder(schema, new String(bytes(words[4]), StandardCharsets.UTF_8));
        GenericRecord value = new GenericDatumReader<GenericRecord>(schema).read(null, json);
        var serializer = new GlueSchemaRegistryKafkaSerializer(settings);
        serializer.configure(settings, false);
        return base64(serializer.serialize("topic", value));
      case "connect":
        var converter = new AWSKafkaAvroConverter();
        converter.configure(settings, false);
        SchemaAndValue there = converter.toConnectData("topic", bytes(words[3]));
        return base64(there.value().toString().getBytes(StandardCharsets.UTF_8)) + "\t" + base64(converter.fromConnectData("topic", there.schema(), there.value()));
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  private static byte[] json(GenericRecord value) throws Exception {
    var out = new ByteArrayOutputStream();
    JsonEncoder encoder = EncoderFactory.get().jsonEncoder(value.getSchema(), out);
    new GenericDatumWriter<GenericRecord>(value.getSchema()).write(value, encoder);
    encoder.flush();
    return out.toByteArray();
  }

  private static byte[] bytes(String text) {
    return Base64.getDecoder().decode(text);
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
