import { Listener } from "../../constructs";
import { probedListeners } from "../../constructs/broker/probed-listeners";

const all = [
  Listener.mutualTls(),
  Listener.passwordOverTls({ webSockets: true }),
  Listener.mutualTlsWithPassword({ extraConfig: ["accept_protocol_versions 5"] }),
  Listener.plaintext({ extraConfig: ["accept_protocol_versions 3,5"] }),
];

test("the image's own clients knock at every listener by a version of MQTT that it accepts", () => {
  expect(probedListeners(all, "2.1").split(" ")).toEqual([
    "8883:mutualTls:mqttv311:mqtts",
    "8444:passwordOverTls:mqttv311:wss",
    "8885:mutualTlsWithPassword:mqttv5:mqtts",
    "1883:plaintext:mqttv5:mqtt",
  ]);
});

test("they leave out what they do not speak: WebSockets in 2.0 or with an origin, and CCM alone", () => {
  expect(probedListeners(all, "2.0")).not.toContain("wss");
  const origin = Listener.passwordOverTls({
    webSockets: true,
    extraConfig: ["websockets_origin https://plant.example"],
  });
  expect(probedListeners([origin], "2.1")).toBe("");
  const suites = ["TLS_AES_128_CCM_SHA256"];
  expect(probedListeners([Listener.mutualTls({ ciphersTls13: suites })], "2.1")).toBe("");
  const more = Listener.mutualTls({ ciphersTls13: [...suites, "TLS_AES_128_GCM_SHA256"] });
  expect(probedListeners([more], "2.1")).toContain("8883");
});
