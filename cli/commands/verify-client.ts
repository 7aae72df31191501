import * as fs from "node:fs";
import { topicFilterFault } from "../../constructs/access";
import { parseBundle } from "../../constructs/client/bundle-text";
import { bundleAt, bundleTo, ConnectionBundle } from "../../constructs/client/connection-bundle";
import { describeFault } from "../../constructs/faults";
import { parseHost } from "../../constructs/pki";
import { causeOf, diagnose, Diagnosis, Step } from "../diagnosis/diagnose";
import { CauseId } from "../diagnosis/causes";
import { findClient, KnownClient } from "../diagnosis/known-client";
import { table } from "../report";
import { UsageError } from "../usage-error";
import { refuseHost } from "./verify";

export interface VerifyClientOptions {
  /** File with the bundle that the device holds. @default - the deployed one, or else the store's */
  readonly bundle?: string;
  /** What the client wants to publish to or receive from: a topic name or filter. */
  readonly topic?: string;
  /** Another host to reach the broker by. @default - the bundle's */
  readonly host?: string;
  /** The endpoint's. @default - the bundle's first */
  readonly port?: number;
  /** Construct path of the broker, where several have such a client. */
  readonly broker?: string;
  readonly json?: boolean;
}

/** What nobody sees from here. */
const UNSEEN = "the device's own clock, its network, and whether somebody else connects as this client";

/** Says why a client cannot connect. It never connects as that client, whose session that would end. */
export async function verifyClient(stack: string, client: string, options: VerifyClientOptions): Promise<number> {
  const { bundle: file, topic, broker, json = false } = options;
  refuseHost(options.host);
  const fault = topic === undefined ? undefined : topicFilterFault("--topic", topic);
  if (fault !== undefined) throw new UsageError(describeFault(fault));
  const held = file === undefined ? undefined : readHeld(file);
  const known = findClient(stack, client, broker);
  const given = chosenBundle(stack, known, held, options);
  const diagnosis =
    "bundle" in given
      ? await diagnose({ stack, bundle: given.bundle, known, ...(topic !== undefined && { topic }) })
      : given;
  report(known, diagnosis, json);
  return diagnosis.cause === undefined ? 0 : 1;
}

function readHeld(file: string): string {
  try {
    return fs.readFileSync(file === "-" ? 0 : file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw new UsageError(`--bundle ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** The bundle that leads to the endpoint that is looked at, or why there is none. */
function chosenBundle(
  stack: string,
  known: KnownClient,
  held: string | undefined,
  { host, port }: VerifyClientOptions,
): { readonly bundle: ConnectionBundle } | Diagnosis {
  const failed = (cause: CauseId, detail: string): Diagnosis => ({
    steps: [{ step: "bundle", result: "CAUSE", detail }],
    cause: causeOf(cause, detail, stack, known.name),
  });
  let whole = known.output?.hasSecrets === true ? known.output.bundle : known.stored;
  if (held !== undefined) {
    try {
      whole = parseBundle(held, "it");
    } catch (error) {
      return failed("bundle-unreadable", (error as Error).message);
    }
    if (whole.client_id !== known.name) {
      return failed("bundle-of-another-client", `it is the bundle of ${whole.client_id}, not of ${known.name}`);
    }
  }
  if (whole === undefined) {
    if (known.isDeclared === false) return failed("client-not-declared", `${known.name} is not declared`);
    const why = known.gaps.length === 0 ? "" : `\n  ${known.gaps.join("\n  ")}`;
    throw new Error(`there is no bundle of ${known.name} in ${stack} here; remedy: name a file by --bundle${why}`);
  }
  let bundle: ConnectionBundle;
  try {
    bundle = bundleAt(whole, port);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return { bundle: host === undefined ? bundle : bundleTo(bundle, parseHost(host).value) };
}

function report(known: KnownClient, { steps, cause }: Diagnosis, json: boolean): void {
  const { name, deployed, gaps } = known;
  if (json) {
    const shown = {
      client: name,
      broker: deployed?.broker,
      steps,
      cause: cause ?? null,
      not_known: gaps,
      not_seen: UNSEEN,
    };
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return;
  }
  for (const gap of gaps) process.stderr.write(`not known here: ${gap}\n`);
  const rows = steps.map(({ step, result, detail }: Step) => [step, result, detail]);
  process.stdout.write(`${table(["STEP", "RESULT", "DETAIL"], rows)}\n`);
  process.stdout.write(
    cause === undefined
      ? `nothing is wrong that can be seen from here; what cannot: ${UNSEEN}\n`
      : `cause (${cause.id}): ${cause.detail}; remedy: ${cause.remedy}\n`,
  );
}
