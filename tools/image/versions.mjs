// @ts-check

/**
 * Where one Mosquitto version comes from: the official image, or one built from Debian's package.
 *
 * @typedef {object} ImageVersion
 * @property {string} official The official image; a digest pins its content, where there is one.
 * @property {string} built Name of the image built here where no image registry can be reached.
 * @property {string} builtVersion The Mosquitto version that Debian's suite must hold.
 * @property {string} suite The Debian suite.
 * @property {string} environmentVariable Variable that hands the image's name to tests.
 */

/** The keys that Debian signs its packages with. */
export const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Every Mosquitto image that set-up knows. The keys are the versions that `setUp` takes.
 *
 * @type {Readonly<Record<string, ImageVersion>>}
 */
export const imageVersions = {
  "2.1.2": {
    official: "eclipse-mosquitto:2.1.2-alpine@sha256:38c0da4f2ef84284d47b3b3eeea1cb3bdeabe81ee10caf0cd5c5ff61ee3ea408",
    built: "cdktf-mosquitto/mosquitto:2.1.2-debian",
    builtVersion: "2.1.2",
    suite: "forky",
    environmentVariable: "MOSQUITTO_IMAGE_2_1",
  },
  "2.0.21": {
    // Upstream has a 2.0 with more faults mended than Debian's, so that one is taken where it can be had.
    official: "eclipse-mosquitto:2.0.22",
    built: "cdktf-mosquitto/mosquitto:2.0.21-debian",
    builtVersion: "2.0.21",
    suite: "trixie",
    environmentVariable: "MOSQUITTO_IMAGE_2_0",
  },
};
