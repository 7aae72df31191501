/** The label with the name of the set: of writer and reloader, and of a broker that is replaced with it. */
export const SET_LABEL = "cdktf-mosquitto.set";

/** Where things are inside the containers. The official image and ours use the same layout. */
export const CONFIG_FOLDER = "/mosquitto/config";
export const DATA_FOLDER = "/mosquitto/data";
/** A symbolic link to the set of files that the broker reads. Only its directory is a link: 2.1 refuses linked files. */
export const LIVE_FOLDER = `${CONFIG_FOLDER}/live`;

/** In memory, and of the broker alone. */
export const RUN_FOLDER = "/run/mosquitto";

/** User and group of the broker in the official images, as numbers so that no image has to know a name. */
export const BROKER_USER = "1883:1883";

/** Port of the listener on the container's own 127.0.0.1, for health check and reloader only. */
export const CONTROL_PORT = 18883;

/** Names that the broker's hosts file maps to 127.0.0.1; each server certificate carries one of them. */
export const GENERATION_HOSTS = Array.from({ length: 16 }, (_, index) => `generation-${index}.mosquitto.internal`);
