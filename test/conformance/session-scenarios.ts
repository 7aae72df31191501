import { Lab, scenarios } from "./lab";
import { Peer } from "./peer";

/** The last level of a topic that the deployed broker's clients are denied. */
export const SECRET = "secret";

/** What lasts longer than a connection, or ends with it. */
export const sessionScenarios = scenarios([
  {
    name: "will",
    about: "wills, sent where a connection breaks and only there",
    clients: 3,
    run: async (lab) => {
      const witness = await lab.connect(1);
      await witness.subscribe([lab.topic("#")]);
      for (const qos of [0, 1, 2] as const) {
        const dying = await lab.connect(2, { will: { topic: lab.topic(`will/${qos}`), payload: "gone", qos } });
        dying.drop();
        await witness.messageCount(qos + 1);
      }
      const leaving = await lab.connect(2, { will: { topic: lab.topic("never"), payload: "never" } });
      await leaving.disconnect();
      const kept = await lab.connect(2, { will: { topic: lab.topic("kept"), payload: "kept", qos: 1, retain: true } });
      kept.drop();
      await witness.messageCount(4);
      const late = await lab.connect(3);
      await late.subscribe([lab.topic("#")]);
      await late.messageCount(1);
      await late.ping();
      return { witness: witness.received("publish"), late: late.received("publish") };
    },
  },
  {
    name: "session",
    about: "sessions that are kept, with what waited, and wiped",
    clients: 2,
    run: async (lab) => {
      const lasting = persistent(lab);
      const sender = await lab.connect(1);
      const answers: string[] = [];
      const again = async (clean: boolean): Promise<Peer> => {
        const peer = await lab.connect(2, { ...lasting, clean });
        answers.push(peer.answer);
        return peer;
      };
      await (await again(true)).disconnect();
      const first = await again(false);
      await first.subscribe([lab.topic("#"), { topic: lab.topic("one"), qos: 1 }]);
      await first.disconnect();
      for (const qos of [0, 1, 2] as const) await sender.publish(lab.topic(`${qos}`), `qos ${qos}`, { qos });
      const second = await again(false);
      await second.messageCount(2);
      await second.ping();
      const waiting = second.received("publish");
      second.drop();
      await sender.publish(lab.topic("abrupt"), "after an abrupt end", { qos: 1 });
      const third = await again(false);
      await third.messageCount(1);
      await third.disconnect();
      const fresh = await again(true);
      await sender.publish(lab.topic("0"), "nobody hears this", { qos: 1 });
      await fresh.ping();
      await fresh.disconnect();
      await (await lab.connect(2)).disconnect();
      return {
        answers,
        waiting,
        third: third.messages.map(({ payload }) => payload.toString()),
        fresh: fresh.received("publish"),
      };
    },
  },
  {
    name: "unfinished",
    about: "messages sent again that nobody had acknowledged",
    clients: 2,
    run: async (lab) => {
      const lasting = persistent(lab);
      const sender = await lab.connect(1);
      const holding = await lab.connect(2, { ...lasting, holdsAcks: true });
      await holding.subscribe([lab.topic("#")]);
      for (const qos of [1, 2] as const) await sender.publish(lab.topic(`${qos}`), `qos ${qos}`, { qos });
      await holding.messageCount(2);
      holding.drop();
      const again = await lab.connect(2, { ...lasting, clean: false });
      await again.messageCount(2);
      await again.ping();
      const resent = again.received("publish", "pubrel");
      await again.disconnect();
      const third = await lab.connect(2, { ...lasting, clean: false });
      await third.ping();
      const left = third.received();
      await third.disconnect();
      await (await lab.connect(2)).disconnect();
      return { resent, left };
    },
  },
  {
    name: "takeover",
    about: "a second connection of the same client",
    clients: 2,
    run: async (lab) => {
      const witness = await lab.connect(1);
      await witness.subscribe([lab.topic("#")]);
      const first = await lab.connect(2, { will: { topic: lab.topic("will"), payload: "taken over" } });
      const second = await lab.connect(2, { clean: false });
      await first.closed();
      await second.publish(lab.topic("alive"), "second", { qos: 1 });
      await witness.ping();
      return { first: first.received(), second: second.answer, witness: witness.received("publish") };
    },
  },
  {
    name: "keepalive",
    about: "a client that falls silent, and the longest keep-alive",
    clients: 2,
    run: async (lab) => {
      const witness = await lab.connect(1);
      await witness.subscribe([lab.topic("#")]);
      const silent = await lab.connect(2, { keepalive: 1, will: { topic: lab.topic("will"), payload: "silent" } });
      await silent.closed();
      await witness.messageCount(1);
      const answers: Record<string, string> = {};
      for (const keepalive of [3600, 3601, 0]) {
        const peer = await lab.connect(2, { keepalive });
        answers[`${keepalive} seconds`] = peer.answer;
        peer.drop();
      }
      return { silent: silent.received(), witness: witness.received("publish"), answers };
    },
  },
  {
    name: "no-client-id",
    about: "a client without a client id",
    clients: 1,
    run: async (lab) => {
      const answers: Record<string, string> = {};
      for (const clean of [true, false]) {
        const peer = await lab.silent(1);
        // Not every client library would send it.
        const properties = lab.version === 5 ? [0] : [];
        const rest = [lab.version, clean ? 2 : 0, 0, 60, ...properties, 0, 0];
        peer.send(Buffer.from([0x10, 6 + rest.length, 0, 4, ...Buffer.from("MQTT"), ...rest]));
        await peer.until("an answer", () => peer.isClosed || peer.packets.length > 0);
        answers[clean ? "clean" : "to be kept"] = peer.answer.replace(/auto-[0-9A-F-]{36}/, "auto-UUID");
        peer.drop();
      }
      return answers;
    },
  },
  {
    name: "other-client-id",
    about: "a client id of the client's own choice",
    clients: 2,
    run: async (lab) => {
      const [one, another] = [`${lab.client(1)}-one`, `${lab.client(1)}-another`];
      const first = await lab.connect(1, { clientId: one });
      const second = await lab.connect(1, { clientId: another });
      await second.ping();
      // Those who are told to go are gone before the other one has its answer.
      await first.ping();
      const other = await lab.connect(2, { clientId: another });
      await other.ping();
      await second.ping();
      return {
        answer: second.answer,
        first: first.received(),
        isFirstClosed: first.isClosed,
        isSecondClosed: second.isClosed,
      };
    },
  },
  {
    name: "denied",
    about: "topics that a client may not use",
    clients: 2,
    run: async (lab) => {
      const [sender, receiver] = [await lab.connect(1), await lab.connect(2)];
      const granted = await receiver.subscribe([lab.topic("#"), lab.topic(SECRET)]);
      const acknowledged = [];
      for (const qos of [0, 1, 2] as const) {
        acknowledged.push(await sender.publish(lab.topic(SECRET), "secret", { qos, retain: true }));
        acknowledged.push(await sender.publish(lab.topic("open"), "open", { qos }));
      }
      const dying = await lab.connect(1, { will: { topic: lab.topic(SECRET), payload: "will" } });
      dying.drop();
      const last = await lab.connect(1, { will: { topic: lab.topic("last"), payload: "will" } });
      last.drop();
      await receiver.until("the last will", () => receiver.messages.some(({ topic }) => topic === lab.topic("last")));
      return { granted, acknowledged, received: receiver.received("publish") };
    },
  },
  {
    name: "delayed-will",
    about: "wills with a delay, and by DISCONNECT",
    clients: 3,
    only5: true,
    run: async (lab) => {
      const witness = await lab.connect(1);
      await witness.subscribe([lab.topic("#")]);
      const dying = (end: string, delay: number, expiry: number): Promise<Peer> =>
        lab.connect(2, {
          properties: { sessionExpiryInterval: expiry },
          will: {
            ...{ topic: lab.topic(end), payload: end, qos: 1 },
            properties: { willDelayInterval: delay, contentType: "text/plain", userProperties: { why: "lost" } },
          },
        });
      (await dying("after a second", 1, 60)).drop();
      await witness.messageCount(1);
      (await dying("came back in time", 60, 60)).drop();
      const back = await lab.connect(2, { clean: false, properties: { sessionExpiryInterval: 60 } });
      await back.disconnect({ properties: { sessionExpiryInterval: 0 } });
      await (await dying("with 0x04", 0, 0)).disconnect({ reasonCode: 4 });
      await witness.messageCount(2);
      await (await dying("never", 0, 0)).disconnect();
      const marker = await lab.connect(3);
      await marker.publish(lab.topic("end"), "end", { qos: 1 });
      await witness.ping();
      return { back: back.answer, witness: witness.received("publish") };
    },
  },
  {
    name: "expiry",
    about: "sessions that end by themselves",
    clients: 4,
    only5: true,
    run: async (lab) => {
      const answers: Record<string, string> = {};
      const ended: [string, number, number, number | undefined][] = [
        // Name, client, at CONNECT, at DISCONNECT
        ["0 seconds", 1, 0, undefined],
        ["never", 2, 0xffffffff, undefined],
        ["60 seconds, ended at DISCONNECT", 3, 60, 0],
        ["1 second", 4, 1, undefined],
      ];
      for (const [, client, atConnect, atDisconnect] of ended) {
        const peer = await lab.connect(client, { properties: { sessionExpiryInterval: atConnect } });
        const properties = atDisconnect === undefined ? {} : { properties: { sessionExpiryInterval: atDisconnect } };
        await peer.disconnect(properties);
      }
      // It is the time itself that ends a session.
      await new Promise((resolve) => setTimeout(resolve, 4000));
      for (const [name, client] of ended) {
        const peer = await lab.connect(client, { clean: false });
        answers[name] = peer.answer;
        await peer.disconnect();
      }
      const zero = await lab.connect(1);
      zero.send({ cmd: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 60 } });
      await zero.closed();
      return { answers, raisedAtDisconnect: zero.received() };
    },
  },
]);

/** Options of a session that stays until it is wiped. */
function persistent({ version }: Lab): { clean: boolean; properties?: { sessionExpiryInterval: number } } {
  return { clean: false, ...(version === 5 && { properties: { sessionExpiryInterval: 0xffffffff } }) };
}
