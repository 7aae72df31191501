import { isKeyFileName, keyFileName, notSealed, PLAIN, RecordCodec, SealedCodec } from "./record-codec";
import { RecordFolder } from "./record-folder";
import { parseKeyFile, parseSealedRecord, SealingKey } from "./sealing";
import { StoreFiles } from "./store-files";

/** How a sealed store gets at its passphrases; each is asked for only when it is needed. */
export interface SealedOptions {
  readonly passphrase: () => string;
  readonly previous?: () => string;
}

/**
 * Opens a sealed store. A new one gets its key with the first record.
 *
 * @throws {Error} when the passphrase is wrong, or a file damaged
 */
export function openSealed(files: StoreFiles, options: SealedOptions, now: Date): RecordFolder {
  const names = files.list();
  const records = names.filter((name) => !isKeyFileName(name));
  const keys = openKeys(files, names, options);
  // Nothing is written, nor is the passphrase asked for, until there is something to seal.
  const codec = keys.length > 0 ? new SealedCodec(keys) : new NewSealedCodec(files, options, now);
  return new RecordFolder(files, codec, records);
}

/**
 * Brings all records of a store into one form: sealed with a key of the present passphrase, or plain.
 *
 * @param target how it is to be sealed; nothing for plain
 * @param unseal how to open what is sealed, where the target is plain
 * @returns how many records were converted
 */
export function convertStore(
  files: StoreFiles,
  target: SealedOptions | undefined,
  unseal: SealedOptions | undefined,
  now: Date,
): number {
  const names = files.list();
  const keyNames = names.filter(isKeyFileName);
  const opened = openKeys(files, names, target ?? unseal ?? { passphrase: passphraseIsMissing });
  let codec: RecordCodec = PLAIN;
  let isDone = (text: string): boolean => parseSealedRecord(text) === undefined;
  let staleKeys = keyNames;
  if (target !== undefined) {
    const current = currentKeys(files, keyNames, target);
    const sealing = new SealedCodec(current.length > 0 ? current : [addKey(files, target, now, keyNames)]);
    const currentNames = current.map(({ id }) => keyFileName(id));
    staleKeys = keyNames.filter((name) => !currentNames.includes(name));
    codec = sealing;
    isDone = (text) => sealing.isCurrent(text);
  }
  files.writeGitIgnore();
  const reader = opened.length > 0 ? new SealedCodec(opened) : PLAIN;
  let converted = 0;
  for (const name of names.filter((entry) => !isKeyFileName(entry))) {
    const text = files.read(name);
    if (isDone(text)) continue;
    const isSealed = parseSealedRecord(text) !== undefined;
    files.replace(name, codec.encode(name, isSealed ? reader.decode(name, text) : text));
    converted += 1;
  }
  for (const name of staleKeys) files.remove(name);
  return converted;
}

function passphraseIsMissing(): never {
  throw new Error(
    "the store is sealed and declared as a plain folder; allowed: a declaration that says where the passphrase is; " +
      "remedy: declare it as `previousPassphrase` of CredentialStore.folder(), or declare CredentialStore.sealed()",
  );
}

/** A sealed store without a key yet. */
class NewSealedCodec implements RecordCodec {
  private codec: SealedCodec | undefined;

  constructor(
    private readonly files: StoreFiles,
    private readonly options: SealedOptions,
    private readonly now: Date,
  ) {}

  encode(name: string, text: string): string {
    this.codec ??= new SealedCodec([addKey(this.files, this.options, this.now, [])]);
    return this.codec.encode(name, text);
  }

  decode(_: string, text: string): string {
    if (parseSealedRecord(text) !== undefined) throw new Error("the key file that it was sealed with is missing");
    throw notSealed();
  }
}

/** @param after the key files that it comes after */
function addKey(files: StoreFiles, options: SealedOptions, now: Date, after: readonly string[]): SealingKey {
  const { key, file } = SealingKey.generate(options.passphrase(), now);
  const text = `${JSON.stringify(file, null, 2)}\n`;
  // Of two processes that seal a new store at once, one gives way.
  const counts = files.add(["key", ...after].join("-after-"), keyFileName(key.id), text);
  // Before the first record that it seals.
  files.flush();
  if (counts === keyFileName(key.id)) return key;
  const [opened] = openKeys(files, [counts], options);
  return opened as SealingKey;
}

/** @throws {Error} naming the first key file that no passphrase opens */
function openKeys(files: StoreFiles, names: readonly string[], options: SealedOptions): SealingKey[] {
  const keyNames = names.filter(isKeyFileName);
  if (keyNames.length === 0) return [];
  const passphrase = options.passphrase();
  return keyNames.map((name) => {
    const file = readKeyFile(files, name);
    const key = SealingKey.open(file, passphrase) ?? (options.previous && SealingKey.open(file, options.previous()));
    if (key !== undefined) return key;
    throw new Error(
      `the passphrase does not open the sealed store ${files.directory} (${name}); allowed: the passphrase that it was ` +
        "sealed with; remedy: give that one; to change it, declare both, the old one as `previousPassphrase`, and run " +
        "`npx cdktf-mosquitto convert STACK`; nothing was changed",
    );
  });
}

function currentKeys(files: StoreFiles, names: readonly string[], { passphrase }: SealedOptions): SealingKey[] {
  const present = names.length === 0 ? "" : passphrase();
  return names.flatMap((name) => SealingKey.open(readKeyFile(files, name), present) ?? []);
}

function readKeyFile(files: StoreFiles, name: string): ReturnType<typeof parseKeyFile> {
  try {
    return parseKeyFile(files.read(name));
  } catch (error) {
    throw new Error(
      `the key file ${files.directory}/${name} cannot be used: ${(error as Error).message}; ` +
        "remedy: restore that file from a backup; nothing was changed",
      { cause: error },
    );
  }
}
