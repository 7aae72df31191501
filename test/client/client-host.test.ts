import { TerraformVariable } from "cdktf";
import { Authentication, BrokerNetwork, ClientOptions, Listener, MosquittoBrokerProps } from "../../constructs";
import { declareBroker } from "../support/declare";

const publish = ["a"];

function endpointOf(
  options: ClientOptions,
  props: Partial<MosquittoBrokerProps> = {},
): { host?: string; name: string } {
  const broker = declareBroker({ hosts: ["broker.plant.example", "192.0.2.1"], ...props });
  const { endpoints, serverName } = broker.addClient("app", { publish, ...options });
  return { ...(endpoints[0] && { host: endpoints[0].host }), name: serverName };
}

test("a client is led to the broker's first host, and checks that name", () => {
  expect(endpointOf({})).toEqual({ host: "broker.plant.example", name: "broker.plant.example" });
});

test("a client may be led to another host that the server's certificate names", () => {
  expect(endpointOf({ host: "192.0.2.1" })).toEqual({ host: "192.0.2.1", name: "192.0.2.1" });
  expect(endpointOf({ host: "LOCALHOST" })).toEqual({ host: "localhost", name: "localhost" });
  expect(endpointOf({ host: "0:0:0:0:0:0:0:1" })).toEqual({ host: "::1", name: "::1" });
});

test("a client may be led to any other host, where it checks a name that the certificate has", () => {
  const serverName = "broker.plant.example";
  expect(endpointOf({ host: "tunnel.example", serverName })).toEqual({ host: "tunnel.example", name: serverName });
});

test.each<[ClientOptions, RegExp]>([
  [
    { host: "tunnel.example" },
    /host, got "tunnel.example"; allowed: what the server's certificate names: broker.plant.example, 192.0.2.1, localhost, 127.0.0.1, ::1; remedy: add it to the broker's hosts, or name one of those as serverName/,
  ],
  [
    { serverName: "other.example" },
    /serverName, got "other.example"; allowed: what .*remedy: add it to the broker's hosts/,
  ],
  [{ host: "a b" }, /host, got "a b"; allowed: a DNS name/],
  [{ host: "mqtts://broker.plant.example" }, /host, got .*remedy: give only the host/],
  [{ serverName: "*.plant.example" }, /serverName, got .*remedy: name each host/],
  [{ host: 7 as unknown as string }, /host, got 7; allowed: a DNS name/],
])("%j is refused", (options, message) => {
  expect(() => endpointOf(options)).toThrow(message);
});

test("a host that is known only at apply is refused", () => {
  const broker = declareBroker();
  const variable = new TerraformVariable(broker, "host", { type: "string" }).stringValue;
  expect(() => broker.addClient("app", { publish, host: variable, serverName: variable })).toThrow(
    /host, got .*allowed: a value known at synth[^]*serverName, got .*allowed: a value known at synth/,
  );
});

test("in clear text there is no name to check, so any host will do and a name is refused", () => {
  const props = { listeners: [Listener.plaintext()], network: BrokerNetwork.internal() };
  const authentication = Authentication.password();
  expect(endpointOf({ authentication, host: "tunnel.example" }, props).host).toBe("tunnel.example");
  expect(() => endpointOf({ authentication, serverName: "192.0.2.1" }, props)).toThrow(
    /serverName, got "192.0.2.1"; allowed: it where the client connects over TLS/,
  );
});
