import fc from "fast-check";
import { accessMatrix, AccessMatrixEntry, AccessRules, decide, TopicFilter } from "../../constructs/access";
import { allRules, filters } from "./small-rules";

const plant: AccessRules[] = [
  { userName: "sensor-1", publish: ["plant/1/state"], subscribe: ["plant/1/set"] },
  { userName: "archive", publish: [], subscribe: ["$share/archive/plant/#"], deny: ["plant/1/set"] },
];

test("the matrix shows who may do what with every declared filter, by client and topics", () => {
  expect(accessMatrix(plant)).toEqual([
    { client: "archive", topics: "plant/#", publish: "none", subscribe: "some" },
    { client: "archive", topics: "plant/1/state", publish: "none", subscribe: "all" },
    { client: "sensor-1", topics: "plant/#", publish: "some", subscribe: "some" },
    { client: "sensor-1", topics: "plant/1/set", publish: "none", subscribe: "all" },
    { client: "sensor-1", topics: "plant/1/state", publish: "all", subscribe: "none" },
  ]);
});

test("the matrix shows the topics that are asked for, each once", () => {
  expect(accessMatrix(plant, ["plant/1/set", "plant/1/set", "nobody/#", "$share/x/plant/1/+"])).toEqual([
    { client: "archive", topics: "$share/x/plant/1/+", publish: "none", subscribe: "some" },
    { client: "sensor-1", topics: "$share/x/plant/1/+", publish: "none", subscribe: "some" },
    { client: "sensor-1", topics: "plant/1/set", publish: "none", subscribe: "all" },
  ]);
});

test("the matrix is what each client and filter are told one by one, without those that may nothing", () => {
  const columns = fc.option(fc.array(filters, { maxLength: 6 }), { nil: undefined });
  fc.assert(
    fc.property(allRules, columns, (rules, given) => {
      const declared = rules.flatMap(({ publish, subscribe }) => [
        ...publish,
        ...subscribe.map((text) => TopicFilter.parse(text).filter),
      ]);
      const expected: AccessMatrixEntry[] = [];
      for (const rule of [...rules].sort((one, other) => (one.userName < other.userName ? -1 : 1))) {
        for (const topics of [...new Set(given ?? declared)].sort()) {
          const [publish, subscribe] = [decide(rule, "publish", topics), decide(rule, "subscribe", topics)];
          if (publish !== "none" || subscribe !== "none") {
            expected.push({ client: rule.userName, topics, publish, subscribe });
          }
        }
      }
      expect(accessMatrix(rules, given)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

/** The shortest of three runs: other work on the machine makes only longer ones. */
const duration = (act: () => unknown): number =>
  Math.min(
    ...[1, 2, 3].map(() => {
      const start = performance.now();
      act();
      return performance.now() - start;
    }),
  );

test("ten times as many clients with filters of their own take far less than a hundred times as long", () => {
  const clients = (count: number): AccessRules[] => [
    ...Array.from({ length: count }, (_, index) => ({
      userName: `sensor-${index}`,
      publish: [`plant/${index}/#`],
      subscribe: [`command/${index}/+`],
    })),
    ...["archive", "viewer"].map((userName) => ({
      userName,
      publish: [],
      subscribe: ["plant/#"],
      deny: ["plant/1/#"],
    })),
  ];
  const [few, many] = [clients(500), clients(5000)];
  // Own filters, those of plant/# for two, and plant/# for everybody.
  expect(accessMatrix(many)).toHaveLength(2 * 5000 + 2 * 4999 + 2 + 5000);
  expect(duration(() => accessMatrix(many)) / duration(() => accessMatrix(few))).toBeLessThan(30);
});

test("one client with ten times as many filters takes far less than a hundred times as long", () => {
  const client = (count: number): AccessRules[] => {
    const each = (prefix: string): string[] => Array.from({ length: count }, (_, index) => `${prefix}/${index}/#`);
    return [{ userName: "gateway", publish: each("plant"), subscribe: each("command"), deny: each("plant/7") }];
  };
  const [few, many] = [client(500), client(5000)];
  expect(accessMatrix(many)).toHaveLength(10_000);
  expect(duration(() => accessMatrix(many)) / duration(() => accessMatrix(few))).toBeLessThan(30);
});

test("a matrix that nobody could read is refused, with the remedy, and a part of it is not", () => {
  const rules = Array.from({ length: 600 }, (_, index) => ({
    userName: `sensor-${index}`,
    publish: [`plant/sensor-${index}/#`],
    subscribe: ["plant/#"],
  }));
  expect(() => accessMatrix(rules)).toThrow(
    /access matrix of 600 clients.*allowed: 200000 entries.*remedy: name the topics/,
  );
  expect(accessMatrix(rules, ["plant/sensor-7/#"])).toHaveLength(600);
});
