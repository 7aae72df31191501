import { TerraformStack } from "cdktf";
import { CertificateAuthority, Listener, MosquittoBrokerProps } from "../../constructs";
import { config, declareBroker } from "../support/declare";

interface Condition {
  readonly condition: string;
  readonly error_message: string;
}

interface Remembered {
  readonly input?: Readonly<Record<string, unknown>>;
  readonly lifecycle?: {
    readonly ignore_changes?: readonly string[];
    readonly precondition?: readonly Condition[];
    readonly postcondition?: readonly Condition[];
  };
  readonly depends_on?: readonly string[];
}

/** The resources that remember what was deployed, by what they are about, such as `server-1`. */
function guards(props: Partial<MosquittoBrokerProps>): Record<string, Remembered> {
  const { terraform_data: all } = config(TerraformStack.of(declareBroker(props))).resource;
  return Object.fromEntries(
    Object.entries(all)
      .map(([id, block]): [string, Remembered] => [
        /authorities_(.+?)_[0-9A-F]{8}$/.exec(id)?.[1] ?? "credentials",
        block,
      ])
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

const steps = (trusted: number[], issuing?: number): Record<string, Remembered> =>
  guards({
    serverAuthority: CertificateAuthority.managed({ trusted, ...(issuing !== undefined && { issuing }) }),
    listeners: [Listener.passwordOverTls()],
  });

/** What Terraform is asked to hold, with the hash of what is not of interest here left out. */
const conditionsOf = ({ lifecycle }: Remembered): string[] =>
  (lifecycle?.postcondition ?? []).map(({ condition }) =>
    condition.replace(/authorities_([a-z-]+)_[0-9A-F]{8}/g, "$1"),
  );

const FILE = '"${path.module}/material/test-broker/authorities.json"';
/** What the material says of an authority. */
const ofAuthority = (key: string, field: string): string =>
  `(fileexists(${FILE}) ? try(jsondecode(file(${FILE}))["${key}"].${field}, null) : null)`;

describe("what is remembered of the server's authorities", () => {
  test.each([
    ["before a rotation", [1], undefined, ["server-1", "server-first", "server-issuing-1"]],
    ["in its first step", [1, 2], 1, ["server-1", "server-2", "server-first", "server-issuing-1"]],
    ["in its second step", [1, 2], 2, ["server-1", "server-2", "server-first", "server-issuing-2"]],
    ["in its third step", [2], 2, ["server-2", "server-first", "server-issuing-2"]],
  ])("%s", (_, trusted, issuing, names) => {
    expect(Object.keys(steps(trusted, issuing))).toEqual(["credentials", ...names]);
  });

  test.each([
    ["before a rotation", [1], undefined, { "server-1": "issuing" }],
    ["in its first step", [1, 2], 1, { "server-1": "issuing", "server-2": "trusted" }],
    ["in its second step", [1, 2], 2, { "server-1": "trusted", "server-2": "issuing" }],
    ["in its third step", [2], 2, { "server-2": "issuing" }],
  ])("says whether each began as issuing, %s", (_, trusted, issuing, expected) => {
    const began = Object.entries(steps(trusted, issuing)).flatMap(([name, { input }]) =>
      input?.began === undefined ? [] : [[name, input.began]],
    );
    expect(Object.fromEntries(began)).toEqual(expected);
  });

  test("says which generations were the first, and which were trusted when one began to issue", () => {
    const second = steps([1, 2], 2);
    expect(second["server-first"]!.input).toEqual({
      generations: [1, 2],
      end: `\${${ofAuthority("server-1", "not_after")}}`,
    });
    expect(second["server-issuing-2"]!.input).toEqual({ trusted: [1, 2] });
    expect(steps([2], 2)["server-issuing-2"]!.input).toEqual({ trusted: [2] });
  });

  test("is never overwritten, and only written once the credentials are there", () => {
    for (const [name, { lifecycle, depends_on }] of Object.entries(steps([1, 2], 2))) {
      if (name === "credentials") continue;
      expect(lifecycle?.ignore_changes).toEqual(["input"]);
      expect(depends_on).toEqual([
        expect.stringMatching(/^terraform_data\.broker_authorities_[0-9A-F]{8}$/),
        expect.stringMatching(/^docker_container\.broker_reloader_[0-9A-F]{8}$/),
      ]);
    }
  });
});

describe("a plan is refused", () => {
  const first = "terraform_data.broker_server-first.input";
  const wasFirst = `contains(${first}.generations, 2) || (${first}.end == null ? false : timecmp(plantimestamp(), ${first}.end) > 0)`;

  test("where another authority is in the store than was deployed, or one would sign that nobody was told to trust", () => {
    const { "server-2": second } = steps([1, 2], 2);
    const deployed = ofAuthority("server-2", "sha256");
    expect(second!.input!.sha256).toBe(`\${${deployed}}`);
    expect(conditionsOf(second!)).toEqual([
      `\${!fileexists(${FILE}) ? true : self.input.sha256 == ${deployed}}`,
      `\${self.input.began == "trusted" || ${wasFirst}}`,
    ]);
    expect(second!.lifecycle!.postcondition!.map(({ error_message }) => error_message)).toEqual([
      expect.stringMatching(
        /another authority than the one that broker test-broker was deployed with \(server, generation 2\).*Bring back the store/,
      ),
      expect.stringMatching(
        /Generation 2 of the server authority of broker test-broker would sign before.*both generations trusted, the old one issuing/,
      ),
    ]);
  });

  test("where the old authority would be dropped before the new one was deployed as issuing", () => {
    const { "server-issuing-2": issuing } = steps([2], 2);
    expect(conditionsOf(issuing!)).toEqual([`\${length(self.input.trusted) > 1 || ${wasFirst}}`]);
    expect(issuing!.lifecycle!.postcondition![0]!.error_message).toMatch(
      /The generation before 2 of the server authority of broker test-broker would be dropped.*the new one issuing/,
    );
  });

  test("where there are no credentials, with what to do", () => {
    const { credentials } = steps([1]);
    const [precondition] = credentials!.lifecycle!.precondition!;
    expect(precondition!.condition).toBe(`\${fileexists(${FILE})}`);
    expect(precondition!.error_message).toMatch(/store is credentials\/test-broker.*npx cdktf-mosquitto issue test$/);
  });
});

describe("clients' authorities", () => {
  test("are remembered by themselves, with steps of their own", () => {
    const both = guards({ clientAuthority: CertificateAuthority.managed({ trusted: [1, 2], issuing: 2 }) });
    expect(Object.keys(both)).toEqual([
      "clients-1",
      "clients-2",
      "clients-first",
      "clients-issuing-2",
      "credentials",
      "server-1",
      "server-first",
      "server-issuing-1",
    ]);
    expect(both["clients-2"]!.input!.began).toBe("issuing");
  });

  test("are remembered for both purposes where one serves both", () => {
    const one = CertificateAuthority.managed();
    expect(Object.keys(guards({ serverAuthority: one, clientAuthority: one }))).toEqual([
      "clients-1",
      "clients-first",
      "clients-issuing-1",
      "credentials",
      "server-1",
      "server-first",
      "server-issuing-1",
    ]);
  });

  test("are not remembered where no client has a certificate", () => {
    const clientAuthority = CertificateAuthority.managed();
    const names = Object.keys(guards({ clientAuthority, listeners: [Listener.passwordOverTls()] }));
    expect(names.filter((name) => name.startsWith("clients"))).toEqual([]);
  });
});
