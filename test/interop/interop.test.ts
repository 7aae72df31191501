import * as fs from "node:fs";
import * as path from "node:path";
import { Authentication, ConnectionBundle, Listener, MosquittoBroker, TextSource } from "../../constructs";
import { bundleTo } from "../../constructs/client/connection-bundle";
import { renderBundle } from "../../constructs/client/formats";
import { refusal, Session, without } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { newAuthority } from "../pki/support";
import { CommandResult, mustRun } from "../support/command";
import { Deployment, images, versions } from "../support/deployment";
import { freePorts } from "../support/workspace";
import { inGroups, Language, languages, Programs } from "./programs";

jest.setTimeout(180_000);

// Each client library as its documentation says, with what a deployment hands to it and nothing else.

const NAME = "broker.interop.example";
const ADDRESS = "127.0.0.1";
const HOSTS = { name: NAME, address: ADDRESS };
const VARIABLE = "CDKTF_MOSQUITTO_TEST_AWKWARD";
const AWKWARD = ` "päss' \\#wörd$ \${x} %{y} ж€: `;

/** How many programs run at once: most of their time they wait. */
const AT_ONCE = 6;

const REFUSED = ["foreign topic", "no certificate", "wrong authority"] as const;
type Refused = (typeof REFUSED)[number];

/** What the program says of why it failed. */
const REASONS: Record<Language, Record<Refused, RegExp>> = {
  C: {
    "foreign topic": /Not authorized/,
    "no certificate": /connection was lost/,
    "wrong authority": /Protocol error|TLS error/,
  },
  Python: {
    "foreign topic": /not published: Not authorized/,
    "no certificate": /^disconnected/,
    "wrong authority": /CERTIFICATE_VERIFY_FAILED/,
  },
  Node: {
    "foreign topic": /Not authorized/i,
    "no certificate": /certificate required/i,
    "wrong authority": /self-signed certificate|unable to/i,
  },
  Go: {
    "foreign topic": /no message within 5 s/,
    "no certificate": /certificate required/,
    "wrong authority": /unknown authority/,
  },
  Java: {
    "foreign topic": /no message within 5 s/,
    "no certificate": /certificate_required|Connection lost/,
    "wrong authority": /PKIX path/,
  },
  Rust: {
    "foreign topic": /not authorized/,
    "no certificate": /CertificateRequired/,
    "wrong authority": /UnknownIssuer/,
  },
};

const ROUTES = ["name", "address"] as const;
const each = ROUTES.flatMap((route) => languages.map((language) => [language, route] as const));

/** The name of a client; one for each program that gets in, because a client has one session. */
const clientOf = (language: Language, use: string): string => `${language}-${use}`;

describe.each(versions)("clients of six languages at Mosquitto %s", (version) => {
  const deployment = new Deployment();
  const outcomes = new Map<string, CommandResult>();

  const clients = (broker: MosquittoBroker): void => {
    const password = Authentication.password({ value: TextSource.variable(VARIABLE) });
    const add = (name: string, authentication?: Authentication): void => {
      broker.addClient(name, {
        ...(authentication && { authentication }),
        publish: [`own/${name}`],
        subscribe: [`own/${name}`, `foreign/${name}`],
      });
    };
    for (const language of languages) {
      for (const route of ROUTES) {
        add(clientOf(language, route));
        add(clientOf(language, `${route}-foreign`));
      }
      add(clientOf(language, "password"), password);
    }
    for (const name of ["bridge", "witness"]) broker.addClient(name, { publishAndSubscribe: ["bridged/+"] });
  };

  const bundlesIn = (stateFile: string) => {
    const { outputs } = JSON.parse(fs.readFileSync(stateFile, "utf8")) as {
      outputs: Record<string, { value: ConnectionBundle }>;
    };
    return (name: string, route: (typeof ROUTES)[number]): ConnectionBundle => {
      const bundle = outputs[`connection_${name}`]?.value as ConnectionBundle;
      return route === "name" ? bundle : bundleTo(bundle, ADDRESS, ADDRESS);
    };
  };

  beforeAll(async () => {
    process.env[VARIABLE] = AWKWARD;
    const [mutual, password] = (await freePorts(2)) as [number, number];
    const listeners = [Listener.mutualTls({ port: mutual }), Listener.passwordOverTls({ port: password })];
    await deployment.deploy({ hosts: [NAME, ADDRESS], image: images[version](), listeners }, clients);
    const programs = await Programs.in(deployment.folder, images[version]().name, HOSTS);
    const bundleOf = bundlesIn(deployment.stateFile);
    const wrong = newAuthority().ca.certificatePem;

    const tasks: (() => Promise<void>)[] = [];
    const plan = (key: string[], language: Language, bundle: ConnectionBundle, root = "own"): void => {
      const topic = `${root}/${bundle.client_id}`;
      const exchange = { topic, filter: topic, message: key.join(" ") };
      tasks.push(async () => {
        const failed = (error: unknown): CommandResult => ({ code: 1, stdout: "", stderr: String(error) });
        outcomes.set(key.join(), await programs.run(language, bundle, exchange).catch(failed));
      });
    };
    for (const [language, route] of each) {
      const bundle = bundleOf(clientOf(language, route), route);
      plan([language, route], language, bundle);
      plan(
        [language, route, "foreign topic"],
        language,
        bundleOf(clientOf(language, `${route}-foreign`), route),
        "foreign",
      );
      plan([language, route, "no certificate"], language, without(bundle, "cert_pem", "key_pem"));
      plan([language, route, "wrong authority"], language, { ...bundle, ca_pem: wrong });
    }
    for (const language of languages) {
      plan([language, "password"], language, bundleOf(clientOf(language, "password"), "name"));
    }
    await inGroups(AT_ONCE, tasks);
  });
  afterAll(async () => {
    delete process.env[VARIABLE];
    await deployment.remove();
  });

  test.each(each)("%s by %s: its own message comes back", (language, route) => {
    const name = clientOf(language, route);
    expect(outcomes.get([language, route].join())).toMatchObject({
      code: 0,
      stdout: `own/${name} ${language} ${route}\n`,
    });
  });

  test.each(languages)("%s: a password with blanks, quotes and signs of every kind gets in", (language) => {
    expect(outcomes.get([language, "password"].join())).toMatchObject({
      code: 0,
      stdout: `own/${clientOf(language, "password")} ${language} password\n`,
    });
  });

  test("another Mosquitto's bridge carries messages both ways", async () => {
    const bundleOf = bundlesIn(deployment.stateFile);
    const folder = path.join(deployment.folder, "bridge");
    fs.mkdirSync(folder, { mode: 0o700 });
    const files = renderBundle(bundleOf("bridge", "address"), "mosquitto-bridge", { installedIn: "/bridge" });
    for (const [name, content] of files) fs.writeFileSync(path.join(folder, name), content, { mode: 0o600 });
    const [port] = (await freePorts(1)) as [number];
    const conf = `listener ${port} ${ADDRESS}\nallow_anonymous true\nuser root\n`;
    fs.writeFileSync(
      path.join(folder, "mosquitto.conf"),
      `${conf}${fs.readFileSync(path.join(folder, "bridge.conf"), "utf8")}`,
    );
    const container = `${deployment.name}-bridge`;
    const options = ["--rm", "-d", "--name", container, "--network", "host", "-v", `${folder}:/bridge:ro`];
    const command = ["--entrypoint", "mosquitto", images[version]().name, "-c", "/bridge/mosquitto.conf"];
    await mustRun("docker", ["run", ...options, ...command]);
    try {
      const there = await Session.open(bundleOf("witness", "address"));
      const local = {
        host: ADDRESS,
        port,
        protocol: "mqtt",
        url: `mqtt://${ADDRESS}:${port}`,
        client_id: "local",
      } as const;
      await until(
        "the other broker answers",
        async () => (await refusal({ ...local, publish: [], subscribe: [] })) === undefined,
      );
      const here = await Session.open({ ...local, publish: [], subscribe: [] });
      await Promise.all([there.subscribe("bridged/+"), here.subscribe("bridged/+")]);
      // Until the bridge is there, nothing comes.
      await until("a message goes out", async () => {
        await here.publish("bridged/out", "out");
        return there.payloads.includes("out");
      });
      await there.publish("bridged/in", "in");
      await until("a message comes in", () => here.payloads.includes("in"));
      await Promise.all([there.close(), here.close()]);
    } finally {
      await mustRun("docker", ["rm", "-f", container]);
    }
  });

  describe.each(REFUSED)("%s", (kind) => {
    test.each(each)("%s by %s: fails, and says so", (language, route) => {
      const { code, stdout, stderr } = outcomes.get([language, route, kind].join()) ?? {};
      expect({ code, stdout, stderr }).toEqual({
        code: expect.any(Number) as number,
        stdout: "",
        stderr: expect.stringMatching(REASONS[language][kind]) as string,
      });
      expect(code).not.toBe(0);
    });
  });
});
