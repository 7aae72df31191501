/** Whether and how the stack's outputs hand clients their connection bundles. */
export class ConnectionOutputs {
  /**
   * One sensitive output `connection_<client>` each, with the client's key or password. Every Terraform output is kept
   * in the state in clear text: whoever can read the state can be any client.
   */
  static withSecrets(): ConnectionOutputs {
    return new ConnectionOutputs(true);
  }

  /**
   * The same outputs without keys and passwords, so that neither reaches the state. `cdktf-mosquitto bundle` then takes
   * them from the credential store.
   */
  static withoutSecrets(): ConnectionOutputs {
    return new ConnectionOutputs(false);
  }

  private constructor(readonly includesSecrets: boolean) {}
}
