import { placeFaults } from "../../../constructs/broker/bundle-proof/place-faults";

test("a URL is read as programs do, too: what they take for no host leads nowhere", () => {
  const at = (host: string): string[] => {
    const endpoint = { host, port: 443, protocol: "wss", authentication: "certificate" } as const;
    return placeFaults("its", { ...endpoint, url: `wss://${host}:443/mqtt` }, endpoint);
  };
  expect(at("broker.example")).toEqual([]);
  expect(at("xn--a")).toEqual(["its url is not of wss, xn--a and 443, with the path /mqtt"]);
});
