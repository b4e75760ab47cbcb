import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.zip.GZIPInputStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The producer's job with the Java client, idempotent: csv.gz read cell by cell, encoded as framed Avro by hand, sent without waiting. */
public final class LoanProducer {
  static final int CELLS = 9;

  /** A file whose every line is good: quoted cells may hold commas and line breaks. */
  static final class Csv {
    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int at, end;
    private final ByteArrayOutputStream cell = new ByteArrayOutputStream();

    Csv(InputStream in) { this.in = in; }

    private int next() throws IOException {
      if (at == end) {
        end = in.read(buffer);
        at = 0;
        if (end <= 0) return end = -1;
      }
      return buffer[at++];
    }

    /** null at the end of the file. */
    List<byte[]> row() throws IOException {
      List<byte[]> cells = new ArrayList<>(CELLS);
      boolean quoted = false;
      int before = 0;
      cell.reset();
      for (int read = next(); ; before = read, read = next()) {
        if (end == -1) return null;
        if (read == '"') {
          // Two within a quoted cell stand for one.
          if (!quoted && before == '"') cell.write(read);
          quoted = !quoted;
        } else if (!quoted && (read == ',' || read == '\n')) {
          cells.add(cell.toByteArray());
          cell.reset();
          if (read == '\n') return cells;
        } else if (quoted || read != '\r') cell.write(read);
      }
    }
  }

  private final ByteArrayOutputStream out = new ByteArrayOutputStream(256);

  private void varint(long value) {
    long rest = (value << 1) ^ (value >> 63);
    for (; (rest & ~0x7FL) != 0; rest >>>= 7) out.write((int) ((rest & 0x7F) | 0x80));
    out.write((int) rest);
  }

  private void number(byte[] cell) {
    long bits = Double.doubleToRawLongBits(Double.parseDouble(new String(cell, StandardCharsets.ISO_8859_1)));
    for (int shift = 0; shift < 64; shift += 8) out.write((int) (bits >>> shift));
  }

  private void text(byte[] cell) {
    varint(cell.length);
    out.writeBytes(cell);
  }

  private boolean present(byte[] cell) {
    out.write(cell.length == 0 ? 0 : 2);
    return cell.length > 0;
  }

  private byte[] message(long seq, List<byte[]> cells) {
    out.reset();
    out.write(3);
    for (int i = 1; i < 18; i++) out.write(0);
    varint(seq);
    number(cells.get(0));
    varint(LocalDate.parse(new String(cells.get(1), StandardCharsets.ISO_8859_1)).toEpochDay());
    for (int i = 2; i < CELLS; i++) {
      if (!present(cells.get(i))) continue;
      if (i == 3 || i == 8) number(cells.get(i));
      else text(cells.get(i));
    }
    return out.toByteArray();
  }

  public static void main(String[] args) throws IOException {
    Words words = new Words(args);
    Properties settings = new Properties();
    settings.put("bootstrap.servers", words.get("brokers"));
    settings.put("batch.size", words.get("batchBytes"));
    settings.put("linger.ms", words.get("lingerMs"));
    String topic = words.get("topic");
    LoanProducer loans = new LoanProducer();
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        InputStream file = new GZIPInputStream(new BufferedInputStream(new FileInputStream(words.get("file")), 1 << 16), 1 << 16)) {
      Csv csv = new Csv(file);
      csv.row();
      long seq = 0;
      for (List<byte[]> cells = csv.row(); cells != null; cells = csv.row()) producer.send(new ProducerRecord<>(topic, 0, null, loans.message(++seq, cells)));
    }
  }
}
