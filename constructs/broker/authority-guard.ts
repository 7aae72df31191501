import { DataResource } from "cdktf";
import { Construct } from "constructs";
import { AUTHORITIES_FILE } from "./material";
import { expression, literal } from "./terraform-text";

export interface AuthorityGuardProps {
  /** Folder of the material, relative to the stack's output folder. */
  readonly materialFolder: string;
  /** Generation of each declared authority: a declared change of one passes. */
  readonly generations: Readonly<Record<string, number>>;
  /** The broker, for messages. */
  readonly brokerName: string;
  readonly stackId: string;
  readonly storeLocation: string;
}

/**
 * Remembers which authorities were deployed. A fresh checkout without its credential store looks like first use: new
 * authorities would be made and every device locked out. Here that fails at plan.
 */
export function authorityGuard(scope: Construct, props: AuthorityGuardProps): DataResource {
  const path = `"\${path.module}/${props.materialFolder}/${AUTHORITIES_FILE}"`;
  const declared = `fileexists(${path}) ? jsondecode(file(${path})) : null`;
  const guard = new DataResource(scope, "authorities", {
    triggersReplace: { ...props.generations },
    lifecycle: {
      ignoreChanges: ["input"],
      precondition: [
        {
          condition: expression(`fileexists(${path})`),
          errorMessage: literal(
            `The credentials of broker ${props.brokerName} are not on this machine, or not complete: its store is ` +
              `${props.storeLocation}. Run this where the store is kept, bring the store here, or, if nothing was ever ` +
              `issued, run: npx cdktf-mosquitto issue ${props.stackId}`,
          ),
        },
      ],
      postcondition: [
        {
          condition: expression(
            `self.output == null || !fileexists(${path}) ? true : self.output == jsondecode(file(${path}))`,
          ),
          errorMessage: literal(
            `The store ${props.storeLocation} holds other authorities than the ones that broker ${props.brokerName} ` +
              "was deployed with, so every client would be locked out. Bring back the store that it was deployed from. " +
              "To start afresh and hand every client a new bundle, destroy the broker first.",
          ),
        },
      ],
    },
  });
  guard.addOverride("input", expression(declared));
  return guard;
}
