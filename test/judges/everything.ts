import { judgeChains } from "./chains";
import { judgeHandshakes } from "./handshakes";
import { Issued } from "./issued";
import { judgeByLints } from "./lints";
import { judgeByReading } from "./readers";

/** Lets every judge judge everything that is issued with keys of one algorithm. */
export function judgeEverything(id: string): void {
  // Once for all of them: RSA keys take seconds.
  const issued = new Issued(id);
  describe("in chains", () => judgeChains(issued));
  describe("in handshakes", () => judgeHandshakes(issued));
  describe("by themselves", () => judgeByReading(issued));
  describe("by the standards", () => judgeByLints(issued));
}
