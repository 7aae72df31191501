import { DataResource, ITerraformDependable, TerraformResourceLifecycle } from "cdktf";
import { Construct } from "constructs";
import { CertificateAuthority } from "../credentials";
import { AUTHORITIES_FILE, authorityKey, AuthorityPurpose } from "./material";
import { expression, literal, quoted } from "../terraform-text";

export interface AuthorityGuardProps {
  /** Folder of the material, relative to the stack's output folder. */
  readonly materialFolder: string;
  readonly authorities: readonly (readonly [AuthorityPurpose, CertificateAuthority])[];
  /** The broker, for messages. */
  readonly brokerName: string;
  readonly stackId: string;
  readonly storeLocation: string;
}

/**
 * Remembers in the state which authorities were deployed, each by its purpose and generation. A fresh checkout without
 * its credential store looks like first use: new authorities would be made and every device locked out. And a rotation
 * that skips a step would lock out who was not there for it. Here both fail at plan.
 *
 * What a resource was created with stays in its `input`, because changes of it are ignored. So a condition can compare
 * what is declared now with what was deployed then, which Terraform's language offers no other way for.
 */
export class AuthorityGuard extends Construct {
  /** The resource that the broker waits for. */
  readonly credentials: DataResource;
  private readonly path: string;

  constructor(
    scope: Construct,
    private readonly props: AuthorityGuardProps,
  ) {
    super(scope, "authorities");
    this.path = `"\${path.module}/${props.materialFolder}/${AUTHORITIES_FILE}"`;
    this.credentials = new DataResource(this, "Resource", {
      lifecycle: {
        precondition: [
          {
            condition: expression(`fileexists(${this.path})`),
            errorMessage: literal(
              `The credentials of broker ${props.brokerName} are not on this machine, or not complete: its store is ` +
                `${props.storeLocation}. Run this where the store is kept, bring the store here, or, if nothing was ever ` +
                `issued, run: npx cdktf-mosquitto issue ${props.stackId}`,
            ),
          },
        ],
      },
    });
  }

  /** @param proven what has succeeded once a step is deployed: only then is it remembered */
  remember(proven: ITerraformDependable): void {
    for (const [purpose, authority] of this.props.authorities) this.guard(proven, purpose, authority);
  }

  private guard(
    proven: ITerraformDependable,
    purpose: AuthorityPurpose,
    { generations, issuing }: CertificateAuthority,
  ): void {
    const { storeLocation, brokerName } = this.props;
    const numbers = generations.map(({ generation }) => generation);
    // Of the server's authorities every client trusts all from the first day on; of the clients' one has signed.
    const ready = purpose === "server" ? numbers : [issuing as number];
    const end = this.ofAuthority(purpose, ready[0] as number, "not_after");
    const first = this.memory(proven, `${purpose}-first`, { generations: ready, end: expression(end) }, []);
    // Not by its token, which would be a template inside of a template.
    const input = `${first.terraformResourceType}.${first.friendlyUniqueId}.input`;
    // Whoever trusted the first ones is locked out once they have ended, whatever comes next.
    const hasEnded = `(${input}.end == null ? false : timecmp(plantimestamp(), ${input}.end) > 0)`;
    const wasFirst = (generation: number): string => `contains(${input}.generations, ${generation}) || ${hasEnded}`;
    for (const generation of numbers) {
      const fingerprint = this.ofAuthority(purpose, generation, "sha256");
      const began = generation === issuing ? "issuing" : "trusted";
      this.memory(proven, authorityKey(purpose, generation), { sha256: expression(fingerprint), began }, [
        {
          condition: expression(`!fileexists(${this.path}) ? true : self.input.sha256 == ${fingerprint}`),
          errorMessage: literal(
            `The store ${storeLocation} holds another authority than the one that broker ${brokerName} was deployed ` +
              `with (${purpose}, generation ${generation}), so every client would be locked out. Bring back the store, ` +
              "or the declaration, that it was deployed from. To start afresh and hand every client a new bundle, see docs/runbooks.md, Lost store.",
          ),
        },
        {
          condition: expression(`self.input.began == "trusted" || ${wasFirst(generation)}`),
          errorMessage: literal(
            `Generation ${generation} of the ${purpose} authority of broker ${brokerName} would sign before it was ` +
              "deployed as trusted, so devices would be locked out that were not told about it. Deploy the first step " +
              "of the rotation before: both generations trusted, the old one issuing.",
          ),
        },
      ]);
    }
    this.memory(proven, `${purpose}-issuing-${issuing}`, { trusted: numbers }, [
      {
        condition: expression(`length(self.input.trusted) > 1 || ${wasFirst(issuing as number)}`),
        errorMessage: literal(
          `The generation before ${issuing} of the ${purpose} authority of broker ${brokerName} would be dropped before ` +
            `${issuing} was deployed as issuing, so devices would be locked out that were handed no bundle of it. Deploy ` +
            "the second step of the rotation before: both generations trusted, the new one issuing.",
        ),
      },
    ]);
  }

  private memory(
    proven: ITerraformDependable,
    id: string,
    input: Record<string, unknown>,
    postcondition: Postcondition[],
  ): DataResource {
    return new DataResource(this, id, {
      input,
      lifecycle: { ignoreChanges: ["input"], ...(postcondition.length > 0 && { postcondition }) },
      dependsOn: [this.credentials, proven],
    });
  }

  /** A field of an authority in the material; nothing where there is none. */
  private ofAuthority(purpose: AuthorityPurpose, generation: number, field: "sha256" | "not_after"): string {
    const key = quoted(authorityKey(purpose, generation));
    return `(fileexists(${this.path}) ? try(jsondecode(file(${this.path}))[${key}].${field}, null) : null)`;
  }
}

type Postcondition = NonNullable<TerraformResourceLifecycle["postcondition"]>[number];
