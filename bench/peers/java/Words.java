import java.util.HashMap;
import java.util.Map;

/** The command line of a peer: name=value, each of them needed. */
final class Words {
  private final Map<String, String> values = new HashMap<>();

  Words(String[] args) {
    for (String arg : args) {
      String[] parts = arg.split("=", 2);
      values.put(parts[0], parts[1]);
    }
  }

  String get(String name) {
    String value = values.get(name);
    if (value == null) throw new IllegalArgumentException(name + "= is missing");
    return value;
  }
}
