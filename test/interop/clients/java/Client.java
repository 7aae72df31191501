import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * Publishes one message and prints the first one that arrives: Client FOLDER TOPIC FILTER MESSAGE.
 * The folder has the client's bundle in the format java.
 */
public final class Client {
    public static void main(String[] args) {
        int code = 0;
        try {
            System.out.println(exchange(Path.of(args[0]), args[1], args[2], args[3]));
        } catch (Exception error) {
            System.err.println(error);
            code = 1;
        }
        // Paho's threads would go on after a failure.
        System.exit(code);
    }

    private static String exchange(Path folder, String topic, String filter, String message) throws Exception {
        Properties connection = new Properties();
        try (InputStream file = Files.newInputStream(folder.resolve("connection.properties"))) {
            connection.load(file);
        }
        MqttConnectOptions options = new MqttConnectOptions();
        options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
        options.setConnectionTimeout(5);
        options.setSSLProperties(stores(connection, folder));
        if (connection.containsKey("password")) {
            options.setUserName(connection.getProperty("username"));
            options.setPassword(connection.getProperty("password").toCharArray());
        }
        MqttClient client = new MqttClient(
                connection.getProperty("serverURI"), connection.getProperty("clientId"), new MemoryPersistence());
        client.setTimeToWait(5000);
        client.connect(options);
        BlockingQueue<String> received = new LinkedBlockingQueue<>();
        client.subscribe(filter, 1, (receivedTopic, content) ->
                received.add(receivedTopic + " " + new String(content.getPayload(), StandardCharsets.UTF_8)));
        client.publish(topic, message.getBytes(StandardCharsets.UTF_8), 1, false);
        // MQTT 3.1.1 does not say whether the broker let it through.
        String first = received.poll(5, TimeUnit.SECONDS);
        client.disconnect();
        if (first == null) throw new TimeoutException("no message within 5 s");
        return first;
    }

    /** The key and trust stores, in the names that Paho has for them. */
    private static Properties stores(Properties connection, Path folder) {
        Properties stores = new Properties();
        for (String store : new String[] {"keyStore", "trustStore"}) {
            if (!connection.containsKey(store)) continue;
            stores.setProperty("com.ibm.ssl." + store, folder.resolve(connection.getProperty(store)).toString());
            stores.setProperty("com.ibm.ssl." + store + "Type", connection.getProperty(store + "Type"));
            stores.setProperty("com.ibm.ssl." + store + "Password", connection.getProperty(store + "Password"));
        }
        return stores;
    }
}
