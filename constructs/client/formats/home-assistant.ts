import { Fault } from "../../faults";
import { ConnectionBundle, usesWebSockets } from "../connection-bundle";
import { BundleFormat } from "./format";
import { CA_FILE, CERTIFICATE_FILE, KEY_FILE, pemFiles } from "./pem-files";

const STEPS = `Settings > Devices & services > Add integration > MQTT > Manually enter the MQTT broker connection details.
Switch "Advanced options" on and press Submit, and "Next" whenever fields are missing. Leave out what is not listed.
What a value is begins after the blank, and ends with its line.
`;

// Read by a person, who sets up the MQTT integration of Home Assistant: since 2022.12 its broker is in no YAML file, only in
// the form of which these are the labels (homeassistant/components/mqtt/strings.json, step "broker").
export const homeAssistant: BundleFormat = {
  name: "home-assistant",
  readBy: "whoever fills in the form of Home Assistant's MQTT integration",
  abilities: { webSockets: true, otherServerName: false, withoutKey: true },
  faults: ({ password }) => (password === undefined || isCopied(password) ? [] : [PASSWORD_FAULT]),
  render: (bundle) => {
    const lines = formFields(bundle).map(([label, value]) => `${label}: ${value}\n`);
    return new Map([...pemFiles(bundle), ["home-assistant.txt", `${STEPS}\n${lines.join("")}`]]);
  },
};

const PASSWORD_FAULT: Fault = {
  what: "format home-assistant, for a password with blanks at its ends, or with characters that are not seen",
  allowed: "passwords that a person copies as they are",
  remedy: "let one be generated, or choose another format, such as json",
};

function isCopied(password: string): boolean {
  return password === password.trim() && !/[\p{Zl}\p{Zp}\p{Cf}\p{Cn}\p{Co}]|(?! )\p{Zs}/u.test(password);
}

function formFields(bundle: ConnectionBundle): [label: string, value: string | number][] {
  const { host, port, client_id: clientId, username, password } = bundle;
  const fields: [string, string | number | undefined][] = [
    ["Broker", host],
    ["Port", port],
    ["Username", username],
    ["Password", password],
    ["Client ID (leave empty to randomly generated one)", clientId],
    ["Use a client certificate", bundle.cert_pem && "on"],
    ["Upload client certificate file", bundle.cert_pem && CERTIFICATE_FILE],
    ["Upload private key file", bundle.cert_pem && KEY_FILE],
    ["Broker certificate validation", bundle.ca_pem && "Custom"],
    ["Upload custom CA certificate file", bundle.ca_pem && CA_FILE],
    ["MQTT transport", usesWebSockets(bundle) ? "WebSocket" : "TCP"],
    ["WebSocket path", usesWebSockets(bundle) ? "/mqtt" : undefined],
  ];
  return fields.flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]));
}
