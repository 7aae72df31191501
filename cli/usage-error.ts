/** The command was called in a way that it cannot be: it ends with 2. */
export class UsageError extends Error {}
