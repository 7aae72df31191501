/** Milliseconds between two tries, and how many there are. */
const PAUSE = 250;
const TRIES = 4;

/**
 * Tries again where a connection was closed before anything was said: a listener that allows a single one may not have
 * noticed yet that the one before is gone.
 */
export async function patiently<Outcome extends { readonly kind: string }>(
  action: () => Promise<Outcome>,
): Promise<Outcome> {
  let outcome = await action();
  for (let tries = 1; tries < TRIES && outcome.kind === "closed"; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    outcome = await action();
  }
  return outcome;
}
