import { Token } from "cdktf";
import { Fault } from "../faults";

/** The official image of 2.1.2, by digest: a tag may move, and once did so from 2.0 to 2.1 (eclipse-mosquitto/mosquitto#3531). */
const OFFICIAL_IMAGE =
  "eclipse-mosquitto:2.1.2-alpine@sha256:38c0da4f2ef84284d47b3b3eeea1cb3bdeabe81ee10caf0cd5c5ff61ee3ea408";

/** A line of Mosquitto releases that this library knows. */
export type MosquittoLine = "2.0" | "2.1";

/** Below these, faults are known that the newer release of the same line mends. */
const FLOORS: Readonly<Record<MosquittoLine, readonly number[]>> = { "2.0": [2, 0, 22], "2.1": [2, 1, 2] };

/** Which image runs the broker, and which Mosquitto is in it. */
export class MosquittoImage {
  /** The image that this library is made for: Mosquitto 2.1.2 from the Eclipse project, pinned by digest. */
  static official(): MosquittoImage {
    return new MosquittoImage(OFFICIAL_IMAGE, "2.1.2");
  }

  /**
   * Another image. It needs `/usr/sbin/mosquitto`, Mosquitto's client programs and a POSIX shell.
   *
   * @param name as Docker takes it; pin it by digest. May be a Terraform variable.
   * @param version of the Mosquitto in it, such as `2.0.22`; 2.0 and 2.1 are supported
   */
  static named(name: string, version: string): MosquittoImage {
    return new MosquittoImage(name, version);
  }

  private constructor(
    readonly name: string,
    readonly version: string,
  ) {}

  /** What is wrong with it. */
  faults(): Fault[] {
    const faults: Fault[] = [];
    if (this.line === undefined || !/^\d+\.\d+\.\d+$/.test(this.version)) {
      faults.push({
        what: "image.version",
        value: this.version,
        allowed: "2.0.x or 2.1.x, with all three numbers",
        remedy: "give the version of the Mosquitto in the image",
      });
    }
    if (typeof this.name !== "string" || this.name === "" || /\s/.test(this.name)) {
      faults.push({
        what: "image.name",
        value: this.name,
        allowed: "a Docker image name, such as eclipse-mosquitto:2.1.2-alpine@sha256:…",
        remedy: "give the name without blanks",
      });
    }
    return faults;
  }

  /** What is allowed and should be known. */
  get warnings(): string[] {
    return [this.versionWarning, this.tagWarning].filter((warning) => warning !== undefined);
  }

  /** Where this version has faults that a later one of the same line mends. */
  private get versionWarning(): string | undefined {
    if (this.line === undefined) return undefined;
    const floor = FLOORS[this.line];
    const numbers = this.version.split(".").map(Number);
    if ((numbers[2] as number) >= (floor[2] as number)) return undefined;
    return `Mosquitto ${this.version} has known faults; use ${floor.join(".")} or later, or see that your distribution has mended them`;
  }

  /** Where the name may stand for another Mosquitto tomorrow (smallrye/smallrye-reactive-messaging#2785). */
  private get tagWarning(): string | undefined {
    if (Token.isUnresolved(this.name) || this.name.includes("@sha256:")) return undefined;
    // A colon before a slash is one of a registry's port.
    const [, tag = "latest"] = /:([^/:]*)$/.exec(this.name) ?? [];
    if (!/^(latest|\d+(\.\d+)?)(-[a-z0-9]+)?$/.test(tag)) return undefined;
    return `image ${this.name} may become another Mosquitto at any pull; pin it by digest, or name a tag with all three numbers`;
  }

  /** The line of releases that it is of, if this library knows it. */
  get line(): MosquittoLine | undefined {
    if (typeof this.version !== "string") return undefined;
    const line = this.version.split(".").slice(0, 2).join(".");
    return line in FLOORS ? (line as MosquittoLine) : undefined;
  }
}
