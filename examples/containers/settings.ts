import * as path from "node:path";
import { CredentialStore, MosquittoImage } from "cdktf-mosquitto";

const official = MosquittoImage.official();
const folder = process.env.PLANT_FOLDER ?? process.cwd();

/** What a test of this example says differently. */
export const settings = {
  /** Of the broker's container, and of the network that it makes. */
  name: process.env.PLANT_NAME ?? "plant",
  image: MosquittoImage.named(process.env.PLANT_IMAGE ?? official.name, official.version),
  state: path.resolve(folder, "state"),
  credentials: CredentialStore.folder(path.resolve(folder, "credentials")),
};
