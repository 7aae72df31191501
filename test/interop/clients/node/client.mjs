// Publishes one message and prints the first one that arrives:
//     client.mjs FOLDER TOPIC FILTER MESSAGE
// The folder has the client's bundle in the format `mqttjs`.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import mqtt from "mqtt";

const [folder = "", topic = "", filter = "", message = ""] = process.argv.slice(2);
const { url, options } = JSON.parse(await readFile(join(folder, "mqttjs.json"), "utf8"));

// Without retries, so that a refusal ends it.
const client = await mqtt.connectAsync(url, { ...options, protocolVersion: 5, connectTimeout: 5000 }, false);
const first = new Promise((resolve, reject) => {
  client.once("message", (receivedTopic, payload) => resolve(`${receivedTopic} ${payload}`));
  setTimeout(() => reject(new Error("no message within 5 s")), 5000).unref();
});
await client.subscribeAsync(filter, { qos: 1 });
await client.publishAsync(topic, message, { qos: 1 });
console.log(await first);
await client.endAsync();
