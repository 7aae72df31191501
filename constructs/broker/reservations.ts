import { IConstruct } from "constructs";
import { describeFault, Fault } from "../faults";

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

  /** What is wrong with taking it: another construct has it already. */
  fault(kind: string, value: string, remedy: string): Fault | undefined {
    const holder = this.holders.get(keyOf(kind, value));
    if (holder === undefined) return undefined;
    return { what: `the same ${kind} as ${holder}`, value, allowed: "one that no other broker has", remedy };
  }

  /** @throws {Error} naming both constructs when another one has it already */
  take(kind: string, value: string, construct: IConstruct, remedy: string): void {
    const fault = this.fault(kind, value, remedy);
    if (fault !== undefined) throw new Error(`${construct.node.path} has ${describeFault(fault)}`);
    this.holders.set(keyOf(kind, value), construct.node.path);
  }
}

function keyOf(kind: string, value: string): string {
  return `${kind}\n${value}`;
}
