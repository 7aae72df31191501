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
  else addIdentities(decrypter, key.identities);
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

/** Their own errors have the secret in them. */
function addIdentities(decrypter: { addIdentity: (identity: string) => void }, text: string): void {
  let count = 0;
  for (const [index, line] of text
    .split(/\r?\n/)
    .map((one) => one.trim())
    .entries()) {
    if (line === "" || line.startsWith("#")) continue;
    count += 1;
    try {
      decrypter.addIdentity(line);
    } catch {
      throw new Error(
        `line ${index + 1} of the identity file is no age secret key; allowed: AGE-SECRET-KEY-1…, as age-keygen writes ` +
          "it; remedy: take the file as it was written",
      );
    }
  }
  if (count === 0)
    throw new Error("the identity file has no key; allowed: AGE-SECRET-KEY-1…; remedy: name another file");
}

function addRecipient(encrypter: { addRecipient: (recipient: string) => void }, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (error) {
    if (!/^age1/.test(recipient)) {
      // It may be a secret key, given by mistake.
      throw new Error("a recipient is no age public key; allowed: age1…; remedy: let the recipient run age-keygen", {
        cause: error,
      });
    }
    throw new Error(
      `recipient ${JSON.stringify(recipient)} is not known (${(error as Error).message}); allowed: an age public key, ` +
        "age1…; remedy: let the recipient run age-keygen and send what it prints",
      { cause: error },
    );
  }
}

/** The files of an archive, or nothing where it is none. */
export async function unarchive(name: string, content: Uint8Array): Promise<Files | undefined> {
  if (!name.endsWith(".tar")) return undefined;
  const { parseTar } = await import("nanotar");
  const files = parseTar(content).filter(({ type }) => type === "file");
  // Whoever made it must not choose where it goes.
  const bad = files.find((file) => !/^[\w.-]+$/.test(file.name) || file.name.startsWith("."));
  if (bad !== undefined)
    throw new Error(`the archive has a file ${JSON.stringify(bad.name)}; allowed: names without folders`);
  return new Map(files.map((file) => [file.name, file.data ?? new Uint8Array()]));
}

/** The same from day to day: it has no times and no user in it. */
async function archive(files: Files): Promise<Uint8Array> {
  const { createTar } = await import("nanotar");
  return createTar(
    [...files].map(([name, content]) => ({ name, data: Buffer.from(content) })),
    { attrs: { mode: "600", mtime: 0, uid: 0, gid: 0 } },
  );
}
