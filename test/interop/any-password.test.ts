import * as fs from "node:fs";
import * as path from "node:path";
import { bundleTo, ConnectionBundle } from "../../constructs/client/connection-bundle";
import { formatFaults } from "../../constructs/client/formats/format";
import { pem } from "../../constructs/client/formats/pem";
import { without } from "../../tools/mqtt-session";
import { bundlesFor, plainBundle } from "../client/formats/any-bundle";
import { run } from "../support/command";
import { images, versions } from "../support/deployment";
import { makeFolder, removeFolder } from "../support/workspace";
import { ConnectListener } from "./connect-listener";
import { inGroups, Programs } from "./programs";

jest.setTimeout(120_000);

let folder: string;
let listener: ConnectListener;
let port: number;
beforeEach(async () => {
  folder = makeFolder("any-password");
  listener = new ConnectListener();
  port = await listener.listen();
});
afterEach(async () => {
  await listener.close();
  removeFolder(folder);
});

/** Bundles of clients with any name and password that lead to the listener. */
function bundles(format: string, count: number): ConnectionBundle[] {
  const place = without(bundleTo({ ...plainBundle(), protocol: "mqtt", port }, "127.0.0.1"), "ca_pem", "server_name");
  const clients = bundlesFor(format, count * 3).filter(({ password }) => password !== undefined);
  return clients.slice(0, count).map((client) => ({
    ...place,
    client_id: client.client_id,
    username: client.username as string,
    password: client.password as string,
  }));
}

const shownBy = ({ client_id: clientId, username, password }: ConnectionBundle): unknown[] => [
  clientId,
  username,
  password,
];

const LONGEST = plainBundle({ password: `${"ä".repeat(509)}!` });

test("a password that Mosquitto's tools would cut is refused", () => {
  expect(formatFaults(pem, LONGEST)).toEqual([]);
  expect(formatFaults(pem, { ...LONGEST, password: `${LONGEST.password}!` })).toHaveLength(1);
});

test.each(versions)("the tools of Mosquitto %s show exactly what is in the bundle", async (version) => {
  const all = bundles("pem", 60);
  all.push({ ...(all[0] as ConnectionBundle), password: LONGEST.password as string });
  all.forEach((bundle, index) => {
    const own = path.join(folder, String(index));
    fs.mkdirSync(own);
    for (const [name, content] of pem.render(bundle, {})) fs.writeFileSync(path.join(own, name), content);
  });
  const script = `cd /bundles; for own in $(ls | sort -n); do
    XDG_CONFIG_HOME=/bundles/$own mosquitto_pub -t x -m x
    XDG_CONFIG_HOME=/bundles/$own mosquitto_sub -t x
  done`;
  const mounts = ["--network", "host", "-v", `${folder}:/bundles:ro`];
  await run("docker", ["run", "--rm", ...mounts, "--entrypoint", "sh", images[version]().name, "-c", script]);
  expect(listener.shown).toEqual(all.flatMap((bundle) => [shownBy(bundle), shownBy(bundle)]));
});

// Fewer where a process starts slowly.
test.each([
  ["Python", "paho-python", 15],
  ["Node", "mqttjs", 15],
  ["Go", "paho-go", 50],
  ["Java", "java", 8],
  ["Rust", "rumqttc", 50],
] as const)("%s's client library shows exactly what is in the bundle", async (language, format, count) => {
  const programs = await Programs.in(folder, "", { name: "broker.example", address: "127.0.0.1" });
  const all = bundles(format, count);
  const exchange = { topic: "x", filter: "x", message: "x" };
  const codes: number[] = [];
  await inGroups(
    4,
    all.map((bundle) => async () => {
      codes.push((await programs.run(language, bundle, exchange)).code);
    }),
  );
  expect(codes).toEqual(all.map(() => 1));
  expect(listener.shown.map((shown) => JSON.stringify(shown)).sort()).toEqual(
    all.map((bundle) => JSON.stringify(shownBy(bundle))).sort(),
  );
});
