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
    return new BrokerNetwork(false);
  }

  /** A network of its own that leads nowhere: only containers on it reach the broker, and nothing is published. */
  static internal(): BrokerNetwork {
    return new BrokerNetwork(true);
  }

  /**
   * A network that exists, or that the same stack declares. Ports are published, unless it is internal.
   *
   * @param name best the `name` attribute of the network resource, so that Terraform makes the network first
   */
  static existing(name: string, options: ExistingNetworkOptions = {}): BrokerNetwork {
    return new BrokerNetwork(options.internal ?? false, name);
  }

  private constructor(
    readonly isInternal: boolean,
    /** Name of an existing network; absent when the broker makes its own. */
    readonly existingName?: string,
  ) {}
}
