import * as path from "node:path";
import { AnnotationMetadataEntryType, IStackSynthesizer, ISynthesisSession, TerraformStack } from "cdktf";

/**
 * Runs `afterwards` once the stack's config is written: after aspects and validations, never in a snapshot test, and
 * never for a stack that has errors. The one moment at which this library touches the disk.
 */
export function afterSynthesis(stack: TerraformStack, afterwards: (stackDirectory: string) => void): void {
  const inner: IStackSynthesizer = stack.synthesizer;
  stack.synthesizer = {
    synthesize(session: ISynthesisSession): void {
      inner.synthesize(session);
      // Under the CLI a stack with error annotations is synthesised all the same, and refused later.
      if (hasErrors(stack)) return;
      afterwards(path.join(session.outdir, session.manifest.forStack(stack).workingDirectory));
    },
  };
}

function hasErrors(stack: TerraformStack): boolean {
  const level: string = AnnotationMetadataEntryType.ERROR;
  return stack.node.findAll().some(({ node }) => node.metadata.some(({ type }) => type === level));
}
