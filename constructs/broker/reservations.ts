import { IConstruct } from "constructs";

/** What only one construct of an app, or of a stack, may have. */
export class Reservations {
  private static readonly byOwner = new WeakMap<IConstruct, Reservations>();

  static of(owner: IConstruct): Reservations {
    let reservations = Reservations.byOwner.get(owner);
    if (reservations === undefined) {
      reservations = new Reservations();
      Reservations.byOwner.set(owner, reservations);
    }
    return reservations;
  }

  private readonly holders = new Map<string, string>();

  private constructor() {}

  /** @throws {Error} naming both constructs when another one has it already */
  take(kind: string, value: string, construct: IConstruct, remedy: string): void {
    const key = `${kind}\n${value}`;
    const holder = this.holders.get(key);
    if (holder !== undefined) {
      throw new Error(
        `${construct.node.path} and ${holder} have the same ${kind}, ${JSON.stringify(value)}; remedy: ${remedy}`,
      );
    }
    this.holders.set(key, construct.node.path);
  }
}
