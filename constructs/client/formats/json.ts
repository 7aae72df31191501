import { renderBundleText } from "../bundle-text";
import { BundleFormat } from "./format";

// Read by whatever reads JSON. The fields are those of the output `connection_CLIENT`.
export const json: BundleFormat = {
  name: "json",
  readBy: "any program that reads JSON",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  render: (bundle) => new Map([["connection.json", renderBundleText(bundle)]]),
};
