import fc from "fast-check";
import { randomInt } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  AccessRules,
  decide,
  Direction,
  hashPassword,
  renderAccessControlList,
  renderPasswordFile,
  TopicFilter,
  topicFilterFault,
} from "../../constructs/access";
import { ConnectionBundle } from "../../constructs";
import { refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { rules, topicNames } from "../access/small-rules";
import { mustRun, run } from "../support/command";
import { images, Version, versions } from "../support/deployment";
import { logs } from "../support/docker";
import { freePorts, makeFolder, removeFolder, uniqueName } from "../support/workspace";

jest.setTimeout(30_000);

const PASSWORD = "the same for all";
const CLIENTS = 150;
const TOPICS_PER_CLIENT = 25;
/** May publish wherever Mosquitto lets anybody. */
const PUBLISHER: AccessRules = { userName: "publisher", publish: ["#", "$x/#", "$y/#"], subscribe: [] };
// Nothing is dropped, so that what did not arrive was not allowed. Without a limit, 2.0 would end the connection of
// everybody whose message it denies.
const CONF = `listener 1883
allow_anonymous false
password_file /rules/passwords
acl_file /rules/access
max_keepalive 600
use_username_as_clientid true
max_queued_messages 100000
`;

/** A plain broker in a container, with a password file and an access control list as this library renders them. */
class RuleBroker {
  readonly name = uniqueName("cdktf-test-rules");
  private port = 0;

  constructor(private readonly version: Version) {}

  async start(all: readonly AccessRules[]): Promise<void> {
    const folder = makeFolder("rules");
    const files = path.join(folder, "rules");
    fs.mkdirSync(files);
    fs.writeFileSync(path.join(files, "mosquitto.conf"), CONF);
    const hash = hashPassword(PASSWORD, { iterations: 1 });
    fs.writeFileSync(
      path.join(files, "passwords"),
      renderPasswordFile(all.map(({ userName }) => ({ userName, hash }))),
    );
    fs.writeFileSync(path.join(files, "access"), renderAccessControlList(all));
    // The broker's user in the container owns none of this.
    fs.chmodSync(files, 0o755);
    for (const file of fs.readdirSync(files)) fs.chmodSync(path.join(files, file), 0o644);
    try {
      [this.port] = (await freePorts(1)) as [number];
      const command = ["/usr/sbin/mosquitto", "-c", "/rules/mosquitto.conf"];
      const publish = `127.0.0.1:${this.port}:1883`;
      const image = images[this.version]().name;
      await mustRun("docker", ["create", "--name", this.name, "-p", publish, image, ...command]);
      await mustRun("docker", ["cp", files, `${this.name}:/rules`]);
      await mustRun("docker", ["start", this.name]);
      await until("the broker listens", async () => (await refusal(this.bundle(PUBLISHER))) === undefined).catch(
        async (error: Error) => {
          throw new Error(`${error.message}\n${await logs(this.name)}`, { cause: error });
        },
      );
    } finally {
      removeFolder(folder);
    }
  }

  connect(client: AccessRules): Promise<Session> {
    return Session.open(this.bundle(client));
  }

  remove(): Promise<unknown> {
    return run("docker", ["rm", "-f", "-v", this.name]);
  }

  private bundle({ userName }: AccessRules): ConnectionBundle {
    const given = { url: `mqtt://127.0.0.1:${this.port}`, client_id: userName, username: userName, password: PASSWORD };
    return given as unknown as ConnectionBundle;
  }
}

/** Whether the broker takes a message: MQTT 5 §3.4.2.1 lets PUBACK say 0x87, not authorized. */
async function publishes(session: Session, topic: string): Promise<boolean> {
  try {
    await session.publish(topic, topic);
    return true;
  } catch (error) {
    if (/Not authorized/.test((error as Error).message)) return false;
    throw error;
  }
}

/** With QoS 0: each message then goes out at once, so that all are there when a later request is answered. */
async function subscribe(session: Session, filters: readonly string[]): Promise<void> {
  for (const { qos } of await session.client.subscribeAsync([...new Set(filters)], { qos: 0 })) expect(qos).toBe(0);
}

interface Disagreement extends AccessRules {
  readonly direction: Direction;
  readonly query: string;
  readonly decided: string;
  readonly broker: boolean;
}

describe.each(versions)("a broker of Mosquitto %s does what is decided from the rules", (version) => {
  const seed = randomInt(2 ** 31);
  const clients = fc
    .sample(rules, { numRuns: CLIENTS, seed })
    .map((rule, index): AccessRules => ({ ...rule, userName: `client-${index}` }));
  const topics = topicNames(3).filter((name) => topicFilterFault("topic", name) === undefined);
  const published = topics.filter((topic) => decide(PUBLISHER, "publish", topic) === "all");
  const broker = new RuleBroker(version);
  let publisher: Session;
  let sessions: Session[] = [];

  /** What client and broker do not agree about, with all that is needed to see it again. */
  const disagreements = async (
    direction: Direction,
    told: (session: Session, index: number) => Promise<ReadonlyMap<string, boolean>>,
  ): Promise<Disagreement[]> => {
    const all = await Promise.all(
      sessions.map(async (session, index) => {
        const client = clients[index] as AccessRules;
        return [...(await told(session, index))]
          .map(([query, said]) => ({ query, decided: decide(client, direction, query), broker: said }))
          .filter((one) => one.decided !== (one.broker ? "all" : "none"))
          .map((one) => ({ ...client, direction, ...one }));
      }),
    );
    return all.flat();
  };
  const agreed = { seed, wrong: [] };

  /**
   * What arrives when every client has subscribed to everything, and every topic is published once.
   *
   * @param groupOf the beginning of each client's subscriptions
   */
  const unexpectedArrivals = async (groupOf: (client: AccessRules) => string): Promise<Disagreement[]> => {
    const subscriptions = clients.map((client) => {
      const declared = client.subscribe.map((text) => TopicFilter.parse(text).filter);
      return [...new Set(["#", "$x/#", "$y/#", ...declared])].map((filter) => groupOf(client) + filter);
    });
    await Promise.all(
      sessions.map(async (session, index) => {
        await subscribe(session, subscriptions[index] as string[]);
        session.messages.length = 0;
      }),
    );
    await Promise.all(published.map((topic) => publishes(publisher, topic)));
    const wrong = await disagreements("subscribe", async (session, index) => {
      // Answered behind all messages.
      await session.client.unsubscribeAsync(subscriptions[index] as string[]);
      const arrived = new Set(session.messages.map(({ topic }) => topic));
      const group = groupOf(clients[index] as AccessRules);
      return new Map(published.map((topic) => [group + topic, arrived.has(topic)]));
    });
    expect(sessions.filter(({ messages }) => messages.length > 0).length).toBeGreaterThan(CLIENTS / 10);
    return wrong;
  };

  beforeAll(async () => {
    await broker.start([PUBLISHER, ...clients]);
    publisher = await broker.connect(PUBLISHER);
    sessions = await Promise.all(clients.map((client) => broker.connect(client)));
  });

  afterAll(async () => {
    await Promise.all([publisher, ...sessions].map((session) => session?.close(true)));
    await broker.remove();
  });

  test("when clients publish", async () => {
    const sample = fc.sample(
      fc.shuffledSubarray(topics, { minLength: TOPICS_PER_CLIENT, maxLength: TOPICS_PER_CLIENT }),
      {
        numRuns: CLIENTS,
        seed,
      },
    );
    const wrong = await disagreements("publish", async (session, index) => {
      const said = (sample[index] as string[]).map(async (topic) => [topic, await publishes(session, topic)] as const);
      return new Map(await Promise.all(said));
    });
    expect({ seed, wrong }).toEqual(agreed);
  });

  test("when nobody may publish, whatever the rules", async () => {
    const taken = await Promise.all(topics.map((topic) => publishes(publisher, topic)));
    expect(topics.filter((_, index) => taken[index])).toEqual(published);
  });

  test("when clients subscribe to everything", async () => {
    expect({ seed, wrong: await unexpectedArrivals(() => "") }).toEqual(agreed);
  });

  test("when clients subscribe to everything, each in a group of its own", async () => {
    expect({ seed, wrong: await unexpectedArrivals(({ userName }) => `$share/${userName}/`) }).toEqual(agreed);
  });

  test("when the broker itself publishes in $SYS", async () => {
    const topic = "$SYS/broker/version";
    const wrong = await disagreements("subscribe", async (session) => {
      session.messages.length = 0;
      await subscribe(session, [topic]);
      await session.client.unsubscribeAsync(topic);
      return new Map([[topic, session.messages.length > 0]]);
    });
    expect({ seed, wrong }).toEqual(agreed);
  });

  test("when a topic name has as many levels as the broker takes", async () => {
    const levels = (count: number): string => Array.from({ length: count }, () => "a").join("/");
    expect(await publishes(publisher, levels(201))).toBe(true);
    expect(() => decide(PUBLISHER, "publish", levels(202))).toThrow(/201 levels/);
    const ended = new Promise<void>((resolve) => publisher.client.once("close", resolve));
    publisher.client.publish(levels(202), "", { qos: 1 }, () => undefined);
    await ended;
  });
});
