import { Files } from "./private-files";

/** Who can open what is sealed: whoever knows a passphrase, or holds the key of one of these recipients. */
export type SealedFor = { readonly passphrase: string } | { readonly recipients: readonly string[] };

/**
 * One encrypted file, in the age format (https://age-encryption.org/v1), from one file or several. Several are in a tar
 * archive inside: `age --decrypt FILE | tar x`.
 *
 * @param name what it is about, for its name
 * @throws {Error} naming a recipient that is no age public key
 */
export async function seal(name: string, files: Files, sealedFor: SealedFor): Promise<Files> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  if ("passphrase" in sealedFor) encrypter.setPassphrase(sealedFor.passphrase);
  else for (const recipient of sealedFor.recipients) addRecipient(encrypter, recipient);
  const [only] = files;
  const isSingle = files.size === 1 && only !== undefined;
  const sealedName = isSingle ? `${name}-${only[0]}.age` : `${name}.tar.age`;
  return new Map([[sealedName, await encrypter.encrypt(isSingle ? Buffer.from(only[1]) : await archive(files))]]);
}

/**
 * @param key a passphrase, or identities as `age-keygen` writes them: one a line, comments and empty lines between
 * @throws {Error} when it does not open it
 */
export async function unseal(
  sealed: Uint8Array,
  key: { readonly passphrase: string } | { readonly identities: string },
): Promise<Uint8Array> {
  const { armor, Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  if ("passphrase" in key) decrypter.addPassphrase(key.passphrase);
  else {
    const lines = key.identities.split(/\r?\n/).map((line) => line.trim());
    for (const identity of lines.filter((line) => line !== "" && !line.startsWith("#")))
      decrypter.addIdentity(identity);
  }
  const text = Buffer.from(sealed).toString("latin1");
  try {
    return await decrypter.decrypt(text.startsWith("-----BEGIN AGE") ? armor.decode(text) : sealed);
  } catch (error) {
    throw new Error(
      `it cannot be opened (${(error as Error).message}); allowed: the passphrase or key that it was sealed for; ` +
        "remedy: use that, or ask for it to be sealed anew",
      { cause: error },
    );
  }
}

function addRecipient(encrypter: { addRecipient: (recipient: string) => void }, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (error) {
    throw new Error(
      `recipient ${JSON.stringify(recipient)} is not known (${(error as Error).message}); allowed: an age public key, ` +
        "age1…; remedy: let the recipient run age-keygen and send what it prints",
      { cause: error },
    );
  }
}

/** The same from day to day: it has no times and no user in it. */
async function archive(files: Files): Promise<Uint8Array> {
  const { createTar } = await import("nanotar");
  return createTar(
    [...files].map(([name, content]) => ({ name, data: Buffer.from(content) })),
    { attrs: { mode: "600", mtime: 0, uid: 0, gid: 0 } },
  );
}
