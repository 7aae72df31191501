import { Token } from "cdktf";
import { Fault } from "../faults";
import { booleanFault, optionsFault } from "../value-faults";

export interface ExistingNetworkOptions {
  /**
   * Whether that network leads nowhere (`docker network create --internal`).
   *
   * @default false
   */
  readonly internal?: boolean;
}

/** The Docker network that the broker is on. Other containers reach it there by its name. */
export class BrokerNetwork {
  /** A network of its own, from which the listeners' ports are published on the host. */
  static bridge(): BrokerNetwork {
    return new BrokerNetwork(false, false);
  }

  /** A network of its own that leads nowhere: only containers on it reach the broker, and nothing is published. */
  static internal(): BrokerNetwork {
    return new BrokerNetwork(true, false);
  }

  /**
   * A network that exists, or that the same stack declares. Ports are published, unless it is internal.
   *
   * @param name best the `name` attribute of the network resource, so that Terraform makes the network first
   */
  static existing(name: string, options: ExistingNetworkOptions = {}): BrokerNetwork {
    const fault = optionsFault("options", options);
    return new BrokerNetwork(fault === undefined && (options.internal ?? false), true, name, fault);
  }

  /** What is wrong with it. */
  faults(what: string): Fault[] {
    const faults = [
      this.optionsFault && { ...this.optionsFault, what: `${what}'s ${this.optionsFault.what}` },
      booleanFault(`${what}'s internal`, this.isInternal),
    ];
    const name: unknown = this.existingName;
    // The name of a resource of the same stack is a token.
    if (this.isExisting && (typeof name !== "string" || !(Token.isUnresolved(name) || /^[^\s/]+$/.test(name)))) {
      faults.push({
        what: `${what}'s name`,
        value: name,
        allowed: "the name of a Docker network, without blanks",
        remedy: "pass the `name` of the network resource, or as `docker network ls` shows it",
      });
    }
    if (this.isExisting && ["host", "none", "bridge", "default"].includes(name as string)) {
      faults.push({
        what: `${what}'s name`,
        value: name,
        allowed: "a network of one's own: Docker's resolve no names, or are none",
        remedy: "use BrokerNetwork.bridge(), or make a network",
      });
    }
    return faults.filter((fault) => fault !== undefined);
  }

  private constructor(
    readonly isInternal: boolean,
    private readonly isExisting: boolean,
    /** Name of an existing network; absent when the broker makes its own. */
    readonly existingName?: string,
    private readonly optionsFault?: Fault,
  ) {}
}
