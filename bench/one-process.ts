/** One synth, or one issuing, as a process of its own; prints the most memory that it had, in KiB. */
import { fulfil } from "../constructs/credentials";
import { certificate, open, wanted } from "../test/credentials/support";
import { synth } from "./synth";

const [what, clients = "", store = ""] = process.argv.slice(2);
if (what === "synth") synth(Number(clients), store);
else {
  const certificates = Array.from({ length: Number(clients) }, (_, index) => certificate(`client-${index}`));
  fulfil(open(store), wanted({ certificates }), true, new Date("2030-06-01T12:00:00Z"));
}
console.log(process.resourceUsage().maxRSS);
