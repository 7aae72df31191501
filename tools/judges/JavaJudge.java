import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;

/**
 * Lets Java read key stores, properties and URIs that others wrote.
 *
 * Each line of standard input is a case: what to read, and its parts in Base64. For each it prints a line: "accepted" and
 * what it found, or "refused" and why.
 */
public class JavaJudge {
    public static void main(String[] args) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] parts = line.split(" ");
            String answer;
            try {
                answer = "accepted " + switch (parts[0]) {
                    case "store" -> store(decoded(parts[1]), text(parts[2]));
                    case "properties" -> properties(decoded(parts[1]));
                    case "uri" -> uri(text(parts[1]));
                    default -> throw new IllegalArgumentException("nobody judges a " + parts[0]);
                };
            } catch (Exception error) {
                answer = "refused " + said(error).replace('\n', ' ');
            }
            System.out.println(answer);
        }
    }

    /** A store's own error calls any passphrase incorrect; the cause says more. */
    private static String said(Throwable error) {
        return error.getCause() == null ? error.toString() : error + ": " + said(error.getCause());
    }

    /** Its entries: alias, kind and the SHA-256 of each certificate, with colons between. */
    private static String store(byte[] octets, String passphrase) throws Exception {
        var store = KeyStore.getInstance("PKCS12");
        store.load(new ByteArrayInputStream(octets), passphrase.toCharArray());
        List<String> entries = new ArrayList<>();
        for (String alias : Collections.list(store.aliases())) {
            var kind = store.isKeyEntry(alias) ? "key" : "trusted";
            var chain = store.isKeyEntry(alias)
                ? store.getCertificateChain(alias)
                : new Certificate[] {store.getCertificate(alias)};
            if (store.isKeyEntry(alias)) use((PrivateKey) store.getKey(alias, passphrase.toCharArray()), chain[0]);
            var entry = alias + ":" + kind;
            for (Certificate one : chain) {
                entry += ":" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(one.getEncoded()));
            }
            entries.add(entry);
        }
        Collections.sort(entries);
        return String.join(" ", entries);
    }

    /** Signs with the key, for the certificate to verify. */
    private static void use(PrivateKey key, Certificate certificate) throws Exception {
        var name = key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
        var signer = Signature.getInstance(name);
        signer.initSign(key);
        signer.update(name.getBytes(StandardCharsets.US_ASCII));
        var verifier = Signature.getInstance(name);
        verifier.initVerify(certificate);
        verifier.update(name.getBytes(StandardCharsets.US_ASCII));
        if (!verifier.verify(signer.sign())) throw new IllegalArgumentException("the key is not the certificate's");
    }

    /** Names and values in Base64, with a colon between. */
    private static String properties(byte[] octets) throws Exception {
        var properties = new Properties();
        properties.load(new ByteArrayInputStream(octets));
        List<String> pairs = new ArrayList<>();
        for (String name : properties.stringPropertyNames()) {
            pairs.add(encoded(name) + ":" + encoded(properties.getProperty(name)));
        }
        return String.join(" ", pairs);
    }

    private static String uri(String value) throws Exception {
        var uri = new URI(value);
        return String.join(" ", uri.getScheme(), String.valueOf(uri.getHost()), "" + uri.getPort());
    }

    private static byte[] decoded(String part) {
        return Base64.getDecoder().decode(part);
    }

    private static String text(String part) {
        return new String(decoded(part), StandardCharsets.UTF_8);
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
