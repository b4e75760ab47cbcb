import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/** Loans in and out as Avro. Decoder, encoder and buffers are reused; one of it belongs to one thread. */
public final class LoanAvro {
  /** In front of each message stand the frame's two bytes and the id of its schema version. */
  static final int FRAME = 18;

  private final Schema outSchema;
  private final int scoreAt, zipAt, ma50At;
  private final GenericDatumReader<GenericRecord> reader;
  private final GenericDatumWriter<GenericRecord> writer;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
  private BinaryDecoder decoder;
  private BinaryEncoder encoder;

  public LoanAvro(String inFile, String outFile) {
    try {
      Schema inSchema = new Schema.Parser().parse(new File(inFile));
      outSchema = new Schema.Parser().parse(new File(outFile));
      zipAt = inSchema.getField("zip_code").pos();
      scoreAt = inSchema.getField("risk_score").pos();
      ma50At = outSchema.getField("ma50").pos();
      reader = new GenericDatumReader<>(inSchema);
      writer = new GenericDatumWriter<>(outSchema);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public GenericRecord decode(byte[] message) {
    try {
      decoder = DecoderFactory.get().binaryDecoder(message, FRAME, message.length - FRAME, decoder);
      return reader.read(null, decoder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public double score(GenericRecord loan) {
    Object score = loan.get(scoreAt);
    return score == null ? Double.NaN : (Double) score;
  }

  public String zip(GenericRecord loan) {
    Object zip = loan.get(zipAt);
    return zip == null ? "" : zip.toString();
  }

  /** The loan's own fields come first and in the same order. */
  public GenericRecord withFeatures(GenericRecord loan, Features features) {
    GenericData.Record row = new GenericData.Record(outSchema);
    for (int i = 0; i < ma50At; i++) row.put(i, loan.get(i));
    row.put(ma50At, features.ma50());
    row.put(ma50At + 1, features.ma100());
    row.put(ma50At + 2, features.ema50());
    return row;
  }

  /** Without a frame. */
  public byte[] encode(GenericRecord row) {
    try {
      bytes.reset();
      encoder = EncoderFactory.get().binaryEncoder(bytes, encoder);
      writer.write(row, encoder);
      encoder.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
