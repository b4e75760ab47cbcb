import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * An emulator of how Amazon MSK checks an IAM token: takes the presigned URL apart, and computes its SigV4 signature again with the secret it was
 * given. It cannot prove that AWS accepts the token: not the policy of the cluster, not session tokens, not what AWS checks beyond its documents.
 */
public final class IamEmulator implements AuthenticateCallbackHandler {
  private String accessKey;
  private String secretKey;
  private String region;

  @Override
  public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
    accessKey = (String) configs.get("emulated.iam.access.key");
    secretKey = (String) configs.get("emulated.iam.secret.key");
    region = (String) configs.get("emulated.iam.region");
  }

  @Override
  public void close() {}

  @Override
  public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
    for (Callback callback : callbacks) {
      if (!(callback instanceof OAuthBearerValidatorCallback validation)) throw new UnsupportedCallbackException(callback);
      try {
        validation.token(check(validation.tokenValue()));
      } catch (Exception refused) {
        System.out.println("IAM token refused: " + refused.getMessage());
        validation.error("invalid_token", null, null);
      }
    }
  }

  private OAuthBearerToken check(String token) throws Exception {
    URI url = URI.create(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
    TreeMap<String, String> query = new TreeMap<>();
    for (String pair : url.getRawQuery().split("&")) {
      String[] parts = pair.split("=", 2);
      query.put(parts[0], parts[1]);
    }
    String signature = query.remove("X-Amz-Signature");
    // Added after signing, by the signer's own account.
    query.remove("User-Agent");
    expect("scheme", "https", url.getScheme());
    expect("host", "kafka." + region + ".amazonaws.com", url.getHost());
    expect("action", "kafka-cluster:Connect", decoded(query.get("Action")));
    expect("algorithm", "AWS4-HMAC-SHA256", query.get("X-Amz-Algorithm"));
    expect("signed headers", "host", query.get("X-Amz-SignedHeaders"));

    String at = query.get("X-Amz-Date");
    String scope = at.substring(0, 8) + "/" + region + "/kafka-cluster/aws4_request";
    expect("credential", accessKey + "/" + scope, decoded(query.get("X-Amz-Credential")));
    Instant from = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC).parse(at, Instant::from);
    Instant until = from.plusSeconds(Long.parseLong(query.get("X-Amz-Expires")));
    if (!Instant.now().isBefore(until) || from.isAfter(Instant.now().plusSeconds(60))) throw new Exception("it is not valid now");

    StringBuilder sorted = new StringBuilder();
    query.forEach((name, value) -> sorted.append(sorted.isEmpty() ? "" : "&").append(name).append('=').append(value));
    String request = String.join("\n", "GET", "/", sorted, "host:" + url.getHost(), "", "host", hex(sha256("")));
    String toSign = String.join("\n", "AWS4-HMAC-SHA256", at, scope, hex(sha256(request)));
    byte[] key = ("AWS4" + secretKey).getBytes(StandardCharsets.UTF_8);
    for (String part : scope.split("/")) key = mac(key, part);
    if (!hex(mac(key, toSign)).equals(signature)) throw new Exception("the signature is not right");
    return new Checked(token, from.toEpochMilli(), until.toEpochMilli());
  }

  private static void expect(String what, String wanted, String found) throws Exception {
    if (!wanted.equals(found)) throw new Exception("its " + what + " is not " + wanted);
  }

  private static String decoded(String text) {
    return text == null ? null : URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  private static byte[] sha256(String text) throws Exception {
    return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] mac(byte[] key, String text) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private record Checked(String value, Long startTimeMs, long lifetimeMs) implements OAuthBearerToken {
    @Override
    public Set<String> scope() {
      return Set.of();
    }

    @Override
    public String principalName() {
      return "iam";
    }
  }
}
