import { Lab, scenarios } from "./lab";
import { Peer } from "./peer";

const LEVELS = [0, 1, 2] as const;

/** What happens to a message between two clients that are both there. */
export const messageScenarios = scenarios([
  {
    name: "qos",
    about: "every QoS sent to every QoS subscribed, with its acknowledgements",
    clients: 2,
    run: async (lab) => {
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      const granted = await receiver.subscribe(LEVELS.map((qos) => ({ topic: lab.topic(`${qos}/+`), qos })));
      const acknowledged: Record<string, string[]> = {};
      for (const sent of LEVELS) {
        for (const wanted of LEVELS) {
          const topic = lab.topic(`${wanted}/${sent}`);
          acknowledged[topic] = await sender.publish(topic, `${sent} to ${wanted}`, { qos: sent });
        }
      }
      await receiver.messageCount(9);
      await receiver.ping();
      return { granted, acknowledged, received: receiver.received("publish", "pubrel") };
    },
  },
  {
    name: "retained",
    about: "retained messages, set, replaced and cleared",
    clients: 4,
    run: async (lab) => {
      const [sender, present] = [await lab.connect(1), await lab.connect(2)];
      await present.subscribe([lab.topic("#")]);
      for (const qos of LEVELS) await sender.publish(lab.topic(`${qos}`), "first", { qos, retain: true });
      const first = await newcomer(lab);
      await sender.publish(lab.topic("0"), "second", { qos: 1, retain: true });
      await sender.publish(lab.topic("1"), "", { qos: 1, retain: true });
      const second = await newcomer(lab);
      await sender.publish(lab.topic("2"), "not kept", { qos: 1 });
      const third = await newcomer(lab);
      await present.ping();
      return { first, second, third, present: present.received("publish") };
    },
  },
  {
    name: "wildcards",
    about: "filters with + and #, and $SYS",
    clients: 2,
    run: async (lab) => {
      const { root } = lab;
      const topics = ["", "/", "/a", "//b", "/a/b", "/a//c", "/a/b/c"].map((end) => `${root}${end}`).concat(`/${root}`);
      const filters = ["/#", "/+", "/+/+", "//+", "/a/#", "/+/+/c", "/a/+/+", "/+/b/#", ""].map(
        (end) => `${root}${end}`,
      );
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      const matched: Record<string, string[]> = {};
      for (const filter of [...filters, `/${root}/#`, `+/${root.split("/").join("/")}`, `${root.split("/")[0]}/+`]) {
        await receiver.subscribe([filter]);
        const before = receiver.messages.length;
        for (const topic of topics) await sender.publish(topic, "", { qos: 1 });
        await receiver.ping();
        await receiver.unsubscribe(filter);
        const came = receiver.messages.slice(before).map(({ topic }) => topic);
        // Some filters are wide enough for others' topics.
        matched[filter] = came.filter((topic) => topic.includes(root));
      }
      await receiver.subscribe(["#"]);
      await receiver.ping();
      const dollars = receiver.messages.filter(({ topic }) => topic.startsWith("$")).length;
      await receiver.unsubscribe("#");
      await receiver.subscribe(["$SYS/broker/version"]);
      const isVersion = (): boolean => receiver.messages.some(({ topic }) => topic === "$SYS/broker/version");
      await receiver.until("the broker's version comes", isVersion);
      const [version] = receiver.messages.filter(({ topic }) => topic === "$SYS/broker/version");
      return { matched, dollars, version: version?.payload.toString() };
    },
  },
  {
    name: "overlapping",
    about: "overlapping subscriptions, and one replaced by another QoS",
    clients: 2,
    run: async (lab) => {
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      await receiver.subscribe([{ topic: lab.topic("#"), qos: 0 }]);
      await receiver.subscribe([
        { topic: lab.topic("+"), qos: 2 },
        { topic: lab.topic("x"), qos: 1 },
      ]);
      // In the place of the first.
      const again = await receiver.subscribe([{ topic: lab.topic("#"), qos: 1 }]);
      for (const qos of LEVELS) await sender.publish(lab.topic("x"), `qos ${qos}`, { qos });
      await receiver.ping();
      return { again, received: receiver.received("publish").sort() };
    },
  },
  {
    name: "order",
    about: "the order of messages of each QoS",
    clients: 2,
    run: async (lab) => {
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      await receiver.subscribe([lab.topic("#")]);
      // At once as many as a broker takes from one client.
      for (let batch = 0; batch < 6; batch += 1) {
        const numbers = Array.from({ length: 15 }, (_, index) => batch * 15 + index);
        await Promise.all(
          numbers.map((number) => sender.publish(lab.topic("n"), `${number}`, { qos: LEVELS[number % 3] ?? 0 })),
        );
      }
      await receiver.messageCount(90);
      const byQos = LEVELS.map((level) =>
        receiver.messages.filter(({ qos }) => qos === level).map(({ payload }) => payload.toString()),
      );
      return { byQos: byQos.map((payloads) => payloads.join(" ")) };
    },
  },
  {
    name: "large",
    about: "packets up to the limit, and beyond it",
    clients: 3,
    run: async (lab) => {
      const receiver = await lab.connect(2);
      await receiver.subscribe([lab.topic("#")]);
      const outcomes: Record<string, string[]> = {};
      for (const [index, size] of [1_000_000, 2_000_000, 2_000_005, 2_000_006, 2_100_000].entries()) {
        const sender = await lab.connect(1);
        const topic = lab.topic(`${index}`);
        // Fixed header, topic and its length, packet identifier, and in MQTT 5 the length of no properties.
        const overhead = 1 + 4 + 2 + topic.length + 2 + (lab.version === 5 ? 1 : 0);
        outcomes[`${size} bytes`] = await sender.publish(topic, "x".repeat(size - overhead), { qos: 1 });
        sender.drop();
      }
      await receiver.ping();
      return { outcomes, received: receiver.messages.map(({ payload }) => payload.length) };
    },
  },
  {
    name: "texts",
    about: "topics and payloads of any characters",
    clients: 2,
    run: async (lab) => {
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      await receiver.subscribe([lab.topic("#"), lab.topic("grüße/+")]);
      const words = ["grüße/ä", "房间/温度", "🌡️/🏭", "with blank", "a\u0301", "á", "$SYS", "x".repeat(400)];
      const acknowledged = [];
      for (const word of words) acknowledged.push(await sender.publish(lab.topic(word), `${word} €`, { qos: 1 }));
      acknowledged.push(await sender.publish(lab.topic("bytes"), Buffer.from([0, 255, 192, 128]), { qos: 1 }));
      const noncharacter = await sender.publish(lab.topic("\u{10ffff}"), "", { qos: 1 });
      await receiver.ping();
      return {
        ...{ acknowledged, noncharacter },
        received: receiver.messages.map(({ topic, payload }) => [topic, Buffer.from(payload).toString("hex")]),
      };
    },
  },
  {
    name: "unsubscribe",
    about: "ending subscriptions, also those that never were",
    clients: 2,
    run: async (lab) => {
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      const subscribed = await receiver.subscribe([
        lab.topic("a"),
        { topic: lab.topic("b"), qos: 0 },
        lab.topic("c/#"),
      ]);
      const answers = [
        await receiver.unsubscribe(lab.topic("a"), lab.topic("never"), lab.topic("c/#")),
        await receiver.unsubscribe(lab.topic("a")),
      ];
      for (const end of ["a", "b", "c/d"]) await sender.publish(lab.topic(end), end, { qos: 1 });
      await receiver.ping();
      return { subscribed, answers, received: receiver.received("publish") };
    },
  },
]);

/** What somebody gets who subscribes now. */
async function newcomer(lab: Lab): Promise<Record<string, string[]>> {
  const result: Record<string, string[]> = {};
  for (const qos of LEVELS) {
    const peer: Peer = await lab.connect(3);
    await peer.subscribe([{ topic: lab.topic("#"), qos }]);
    await peer.ping();
    result[`subscribed with ${qos}`] = peer.received("publish").sort();
    await peer.disconnect();
  }
  return result;
}
