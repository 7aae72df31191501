// @ts-check
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const checkout = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Where set-up keeps what belongs to this checkout alone, such as a Docker engine that it started. */
export const own = join(checkout, ".cache");

/** Where set-up keeps what it downloads or builds. `CDKTF_MOSQUITTO_CACHE` lets several checkouts share one. */
export const cache = resolve(process.env.CDKTF_MOSQUITTO_CACHE || own);
