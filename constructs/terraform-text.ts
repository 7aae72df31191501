/**
 * Text that Terraform reads as it stands: cdktf passes strings on as templates, so `${` and `%{` of a user would be
 * evaluated.
 */
export function literal(text: string): string {
  // Function replacers, because "$$" in a replacement string means one dollar sign.
  return text.replace(/\$\{/g, () => "$${").replace(/%\{/g, () => "%%{");
}

/** A string in Terraform's expression language, quoted. */
export function quoted(text: string): string {
  return `"${literal(text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n"))}"`;
}

/** An expression as the whole value of an attribute. Fn.* would escape `path.module`. */
export function expression(text: string): string {
  return `\${${text}}`;
}
