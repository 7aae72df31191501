import { scenarios } from "./lab";

/** What MQTT 5 adds to messages and subscriptions. */
export const propertyScenarios = scenarios([
  {
    name: "properties",
    about: "all properties of a message, also of a retained one",
    clients: 2,
    only5: true,
    run: async (lab) => {
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      await receiver.subscribe([lab.topic("#")]);
      const properties = {
        ...{ payloadFormatIndicator: true, contentType: "text/plain; charset=utf-8", messageExpiryInterval: 3600 },
        ...{ responseTopic: lab.topic("answer"), correlationData: Buffer.from([0, 1, 2, 255]) },
        userProperties: { unit: "°C", place: ["hall 1", "hall 2"], "": "" },
      };
      for (const qos of [0, 1, 2] as const) await sender.publish(lab.topic(`${qos}`), "21", { qos, properties });
      await sender.publish(lab.topic("kept"), "21", { qos: 1, retain: true, properties });
      await receiver.ping();
      const late = await lab.connect(2);
      await late.subscribe([lab.topic("kept")]);
      await late.messageCount(1);
      return {
        received: receiver.received("publish").map(withoutTime),
        retained: late.received("publish").map(withoutTime),
      };
    },
  },
  {
    name: "retain-options",
    about: "retain handling, and retain as published",
    clients: 2,
    only5: true,
    run: async (lab) => {
      const sender = await lab.connect(1);
      await sender.publish(lab.topic("kept"), "before", { qos: 1, retain: true });
      const received: Record<string, string[]> = {};
      for (const rh of [0, 1, 2]) {
        for (const rap of [false, true]) {
          const receiver = await lab.connect(2);
          const filter = { topic: lab.topic("#"), qos: 1, rh, rap } as const;
          await receiver.subscribe([filter]);
          await receiver.ping();
          await receiver.subscribe([filter]);
          await receiver.ping();
          await sender.publish(lab.topic("live"), "kept", { qos: 1, retain: true });
          await sender.publish(lab.topic("live"), "", { qos: 1, retain: true });
          await sender.publish(lab.topic("live"), "not kept", { qos: 1 });
          await receiver.ping();
          received[`retain handling ${rh}, as published ${rap}`] = receiver.received("publish");
          await receiver.disconnect();
        }
      }
      return received;
    },
  },
  {
    name: "no-local",
    about: "no messages of one's own",
    clients: 2,
    only5: true,
    run: async (lab) => {
      const [one, other] = [await lab.connect(1), await lab.connect(2)];
      await one.subscribe([{ topic: lab.topic("quiet"), qos: 1, nl: true }, lab.topic("loud")]);
      for (const peer of [one, other]) {
        for (const end of ["quiet", "loud"]) await peer.publish(lab.topic(end), end, { qos: 1 });
      }
      await one.ping();
      return { received: one.received("publish") };
    },
  },
  {
    name: "subscription-ids",
    about: "identifiers of subscriptions",
    clients: 2,
    only5: true,
    run: async (lab) => {
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      await receiver.subscribe([lab.topic("a/#")], { properties: { subscriptionIdentifier: 1 } });
      await receiver.subscribe([lab.topic("a/b")], { properties: { subscriptionIdentifier: 268435455 } });
      await receiver.subscribe([lab.topic("c")]);
      for (const end of ["a/b", "a/c", "c"]) await sender.publish(lab.topic(end), end, { qos: 1 });
      await receiver.ping();
      return { received: receiver.received("publish").sort() };
    },
  },
  {
    name: "topic-alias",
    about: "aliases of topics, in both directions, and wrong ones",
    clients: 2,
    only5: true,
    run: async (lab) => {
      const receiver = await lab.connect(2, { properties: { topicAliasMaximum: 4 } });
      await receiver.subscribe([lab.topic("#")]);
      const sender = await lab.connect(1);
      const alias = { properties: { topicAlias: 10 } };
      await sender.publish(lab.topic("first"), "names it", { qos: 1, ...alias });
      await sender.publish("", "by alias", { qos: 1, ...alias });
      await sender.publish(lab.topic("second"), "names another", alias);
      await sender.publish("", "by alias", alias);
      await receiver.ping();
      const beyond: Record<string, string[]> = {};
      for (const topicAlias of [1, 11, 65535]) {
        const peer = await lab.connect(1);
        const topic = topicAlias === 1 ? "" : lab.topic("beyond");
        beyond[`${topicAlias}`] = await peer.publish(topic, "never", { qos: 1, properties: { topicAlias } });
      }
      return { received: receiver.received("publish"), beyond };
    },
  },
  {
    name: "message-expiry",
    about: "messages that expire, and those that have time left",
    clients: 2,
    only5: true,
    run: async (lab) => {
      const session = { properties: { sessionExpiryInterval: 0xffffffff } };
      const away = await lab.connect(2, session);
      await away.subscribe([lab.topic("#")]);
      await away.disconnect();
      const sender = await lab.connect(1);
      for (const messageExpiryInterval of [1, 3600]) {
        const topic = lab.topic(`${messageExpiryInterval}`);
        const retain = { qos: 1, retain: true, properties: { messageExpiryInterval } } as const;
        await sender.publish(topic, "waits", retain);
      }
      // It is the time itself that ends a message.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      const back = await lab.connect(2, { ...session, clean: false });
      await back.messageCount(1);
      await back.subscribe([lab.topic("#")]);
      await back.messageCount(2);
      await back.ping();
      const received = back.messages.map(({ topic, properties: { messageExpiryInterval: left = 0 } = {} }) => [
        ...[topic, left < 3600 && left > 3500 ? "less than before" : left],
      ]);
      await back.disconnect({ properties: { sessionExpiryInterval: 0 } });
      return { received };
    },
  },
  {
    name: "receive-maximum",
    about: "how many unacknowledged messages each side takes",
    clients: 2,
    only5: true,
    run: async (lab) => {
      const slow = await lab.connect(2, { holdsAcks: true, properties: { receiveMaximum: 2 } });
      await slow.subscribe([lab.topic("#")]);
      const sender = await lab.connect(1);
      const counts: number[] = [];
      for (let number = 0; number < 5; number += 1) await sender.publish(lab.topic("n"), `${number}`, { qos: 1 });
      for (let step = 0; step < 5; step += 1) {
        await slow.ping();
        counts.push(slow.messages.length);
        slow.acknowledge();
      }
      const greedy = await lab.connect(1, { holdsAcks: true });
      for (let messageId = 1; messageId <= 21; messageId += 1) {
        const message = { qos: 2, retain: false, dup: false, topic: lab.topic("n"), payload: "" } as const;
        // PUBREL, which ends each of them, is held back.
        greedy.send({ ...message, cmd: "publish", messageId });
      }
      await greedy.ping();
      return { counts, greedy: greedy.received("disconnect"), isClosed: greedy.isClosed };
    },
  },
  {
    name: "packet-maximum",
    about: "packets too large for the client",
    clients: 2,
    only5: true,
    run: async (lab) => {
      const small = await lab.connect(2, { properties: { maximumPacketSize: 200 } });
      await small.subscribe([lab.topic("#")]);
      const sender = await lab.connect(1);
      const acknowledged = [];
      for (const size of [100, 300])
        acknowledged.push(await sender.publish(lab.topic("n"), "x".repeat(size), { qos: 1 }));
      await small.ping();
      return { acknowledged, received: small.messages.map(({ payload }) => payload.length) };
    },
  },
  {
    name: "connack",
    about: "what the broker says at CONNECT",
    clients: 1,
    only5: true,
    run: async (lab) => {
      const asked = {
        nothing: {},
        "session expiry": { properties: { sessionExpiryInterval: 3600 } },
        "keep-alive beyond the limit": { keepalive: 65535 },
        "no keep-alive": { keepalive: 0 },
        "response information": { properties: { requestResponseInformation: true } },
        "user properties": { properties: { userProperties: { a: "b" } } },
        "an authentication method": { properties: { authenticationMethod: "SCRAM-SHA-256" } },
      };
      const answers: Record<string, string> = {};
      for (const [what, options] of Object.entries(asked)) {
        const peer = await lab.connect(1, options);
        answers[what] = peer.answer;
        await (peer.packets[0]?.cmd === "connack" && peer.packets[0].reasonCode === 0
          ? peer.disconnect({ properties: { sessionExpiryInterval: 0 } })
          : peer.closed());
      }
      return answers;
    },
  },
  {
    name: "reasons",
    about: "reason codes of acknowledgements",
    clients: 1,
    only5: true,
    run: async (lab) => {
      const results: Record<string, unknown> = {};
      for (const requestProblemInformation of [true, false]) {
        const peer = await lab.connect(1, { properties: { requestProblemInformation } });
        results[`problem information ${requestProblemInformation}`] = [
          ...(await peer.publish(lab.topic("nobody"), "no one listens", { qos: 1 })),
          ...(await peer.publish(lab.topic("nobody"), "no one listens", { qos: 2 })),
          await peer.subscribe([lab.topic("nobody")]),
          await peer.unsubscribe(lab.topic("somebody")),
        ];
        await peer.disconnect();
      }
      return results;
    },
  },
]);

/** It counts down from 3600. */
const withoutTime = (line: string): string =>
  line.replace(/messageExpiryInterval:3[56]\d\d/, "messageExpiryInterval:LEFT");

/** What both versions of MQTT have, by an extension in 3.1.1. */
export const sharedScenarios = scenarios([
  {
    name: "shared",
    about: "shared subscriptions",
    clients: 4,
    run: async (lab) => {
      const [sender, one, two, alone] = [
        await lab.connect(1),
        await lab.connect(2),
        await lab.connect(3),
        await lab.connect(4),
      ];
      const filter = `$share/group/${lab.topic("#")}`;
      const granted = [await one.subscribe([filter]), await two.subscribe([{ topic: filter, qos: 1 }])];
      await alone.subscribe([`$share/other/${lab.topic("#")}`]);
      const send = async (from: number, to: number): Promise<void> => {
        for (let number = from; number < to; number += 1) {
          await sender.publish(lab.topic("n"), `${number}`, { qos: 1, retain: number === 0 });
        }
        for (const peer of [one, two, alone]) await peer.ping();
      };
      await send(0, 6);
      const counts = [one, two, alone].map((peer) => peer.messages.length);
      await two.unsubscribe(filter);
      await send(6, 8);
      const payloads = (...peers: (typeof one)[]): string[] =>
        peers.flatMap((peer) => peer.messages.map(({ payload }) => payload.toString())).sort();
      return { granted, counts, group: payloads(one, two), alone: payloads(alone), one: one.messages.length };
    },
  },
]);
