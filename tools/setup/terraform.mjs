// @ts-check
import { run } from "./command.mjs";
import { step } from "./progress.mjs";

const minimums = { terraform: "1.5.0", tofu: "1.6.0" };

/** Terraform or OpenTofu, which must be there. @returns {Promise<string>} the program */
export function terraform() {
  return step("terraform", async () => {
    const named = process.env.TERRAFORM_BINARY_NAME;
    for (const program of named === undefined ? ["terraform", "tofu"] : [named]) {
      const result = await run(program, ["version", "-json"], { env: { CHECKPOINT_DISABLE: "1" } });
      if (result.missing) continue;
      const version = parseVersion(result.stdout);
      const minimum = /tofu/.test(program) ? minimums.tofu : minimums.terraform;
      if (version === undefined || isBelow(version, minimum)) {
        throw new Error(
          `${program} on PATH is version ${version ?? "unknown"}, but ${minimum} or later is needed. ` +
            "Install a newer one from your distribution or from the project's download page.",
        );
      }
      return { result: program, summary: `${program} ${version}` };
    }
    throw new Error(
      `There is neither ${named ?? "terraform nor tofu"} on PATH. Terraform 1.5 or later, or OpenTofu 1.6 or later, is ` +
        "needed. Install one from your distribution or from the project's download page, and run this again.",
    );
  });
}

/**
 * @param {string} json What `terraform version -json` prints.
 * @returns {string | undefined}
 */
export function parseVersion(json) {
  try {
    const version = JSON.parse(json).terraform_version;
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} version
 * @param {string} minimum
 */
export function isBelow(version, minimum) {
  const numbers = version.split(/[.-]/).map(Number);
  for (const [index, wanted] of minimum.split(".").map(Number).entries()) {
    const number = numbers[index] ?? 0;
    if (number !== wanted) return number < wanted;
  }
  return false;
}
