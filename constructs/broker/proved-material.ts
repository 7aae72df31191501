import { Credentials } from "../credentials";
import { bundleFaults } from "./bundle-proof/bundle-proof";
import type { Delivery } from "./delivery";
import { brokerFiles, renderMaterial } from "./material";
import { materialFaults, SetFiles } from "./preflight";

/** Everything that a deploy needs beside the config, and what is wrong with it: bundles are only held against good files. */
export function provedMaterial(
  credentials: Credentials,
  { clients, expected, wanted }: Pick<Delivery, "clients" | "expected" | "wanted">,
  now: Date,
): { readonly material: SetFiles; readonly faults: readonly string[] } {
  const faults = materialFaults(brokerFiles(credentials), expected, credentials, now);
  const material = renderMaterial(credentials, clients);
  if (faults.length > 0) return { material, faults };
  const surroundings = { clients, expected, wanted, issued: credentials.clients, now };
  return { material, faults: bundleFaults(material, surroundings) };
}
