/** What a synth costs, with its store: in this process and as a process of its own. */
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, TerraformStack } from "cdktf";
import { CredentialStore, MosquittoBroker } from "../constructs";
import { median, ratio, row, time } from "./measure";

export function reportSynth(folder: string, clients: number): void {
  const [store, single] = [path.join(folder, "store"), path.join(folder, "single")];
  row(
    `fresh synth, ${clients} clients, store and outputs included`,
    median(() => synth(clients, path.join(folder, `fresh-${Math.random()}`))),
  );
  synth(clients, store);
  synth(1, single);
  const again = median(() => synth(clients, store));
  const one = median(() => synth(1, single));
  row("synth again, 1 client", one);
  row(`synth again, ${clients} clients, nothing changed`, again, `${ratio(again, one)} times 1 client, in one process`);

  const processOne = median(() => time(() => void inProcess(1, single)));
  const processAll = median(() => time(() => void inProcess(clients, store)));
  row("the same as a whole process, 1 client", processOne);
  row(
    `the same as a whole process, ${clients} clients`,
    processAll,
    `${ratio(processAll, processOne)} times 1 client (goal: 2 at most)`,
  );

  const fleet = clients * 5;
  const list = path.join(folder, "list");
  row(
    `fresh synth, ${fleet} clients of a list, without outputs`,
    time(() => void synthList(fleet, list)),
  );
  const listAgain = median(() => synthList(fleet, list));
  row(
    `synth again, ${fleet} clients of a list, nothing changed`,
    listAgain,
    `${ratio(listAgain, again)} times ${clients} clients one by one`,
  );

  const many = clients * 10;
  let memory = 0;
  const issuing = time(() => (memory = inProcess(many, path.join(folder, "many"), "issue")));
  row(
    `issuing ${many} clients into a new store, as a whole process`,
    issuing,
    `${(memory / 1024).toFixed(0)} MiB of memory at most (goal: 300)`,
  );
}

/** @returns milliseconds */
export function synth(clients: number, store: string): number {
  const app = new App({ outdir: path.join(`${store}-out`) });
  const stack = new TerraformStack(app, "bench");
  new DockerProvider(stack, "docker", {});
  const broker = new MosquittoBroker(stack, "broker", {
    hosts: ["broker.example"],
    credentials: CredentialStore.folder(store),
  });
  for (let index = 0; index < clients; index += 1) {
    broker.addClient(`client-${index}`, { publish: [`plant/client-${index}/#`] });
  }
  return time(() => app.synth());
}

/** The same number of rules, declared by one call. @returns milliseconds */
function synthList(clients: number, store: string): number {
  return time(() => {
    const app = new App({ outdir: `${store}-out` });
    const stack = new TerraformStack(app, "bench");
    new DockerProvider(stack, "docker", {});
    const credentials = CredentialStore.folder(store);
    const broker = new MosquittoBroker(stack, "broker", { hosts: ["broker.example"], credentials });
    broker.addClients(
      Array.from({ length: clients }, (_, index) => `client-${index}`),
      { each: ({ name }) => ({ publish: [`plant/${name}/#`] }) },
    );
    app.synth();
  });
}

/**
 * @param what the whole synth, or issuing alone
 * @returns the most memory that the process had, KiB
 */
function inProcess(clients: number, store: string, what: "synth" | "issue" = "synth"): number {
  const script = path.join(__dirname, "one-process.ts");
  const printed = execFileSync(process.execPath, ["--import", "tsx", script, what, String(clients), store], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return Number(printed.trim().split("\n").at(-1));
}
