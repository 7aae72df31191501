// @ts-check
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const checkout = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Where set-up keeps what it downloads or builds. `CDKTF_MOSQUITTO_CACHE` lets several checkouts share one. */
export const cache = resolve(process.env.CDKTF_MOSQUITTO_CACHE ?? join(checkout, ".cache"));
