import { isKeyFileName, keyFileName, notSealed, PLAIN, RecordCodec, SealedCodec } from "./record-codec";
import { RecordFolder } from "./record-folder";
import { parseRecord } from "./record";
import { parseKeyFile, parseSealedRecord, passphraseFault, SealingKey } from "./sealing";
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
  if (names.length === 0) return 0;
  const [asked, opener] = [target && askedOnce(target), unseal && askedOnce(unseal)];
  const keyNames = names.filter(isKeyFileName);
  const opened = openKeys(files, names, asked ?? opener ?? { passphrase: passphraseIsMissing });
  const reader = opened.length > 0 ? new SealedCodec(opened) : undefined;
  // Every record is read before any is written: damage must not be sealed in.
  const records = names
    .filter((name) => !isKeyFileName(name))
    .map((name) => ({ name, written: files.read(name), text: readAnyForm(files, name, reader) }));

  let codec: RecordCodec = PLAIN;
  let isDone = (text: string): boolean => parseSealedRecord(text) === undefined;
  let staleKeys = keyNames;
  if (asked !== undefined) {
    const current = currentKeys(files, keyNames, asked);
    const sealing = new SealedCodec(current.length > 0 ? current : [addKey(files, asked, now, keyNames)]);
    const currentNames = current.map(({ id }) => keyFileName(id));
    staleKeys = keyNames.filter((name) => !currentNames.includes(name));
    codec = sealing;
    isDone = (text) => sealing.isCurrent(text);
  }
  // Plain records must be out of version control from the first to the last.
  if (asked === undefined) files.writeGitIgnore();
  let toConvert = records.filter(({ written }) => !isDone(written));
  let converted = 0;
  while (toConvert.length > 0) {
    for (const { name, text } of toConvert) files.replace(name, codec.encode(name, text));
    converted += toConvert.length;
    // A process that opened the store before may have added a record meanwhile, which would be lost with its key.
    toConvert = files
      .list()
      .filter((name) => !isKeyFileName(name) && !isDone(files.read(name)))
      .map((name) => ({ name, written: files.read(name), text: readAnyForm(files, name, reader) }));
  }
  if (asked !== undefined) files.writeGitIgnore();
  for (const name of staleKeys) files.remove(name);
  return converted;
}

/** A record in whatever form it is. @throws {Error} naming the file, when it is damaged */
function readAnyForm(files: StoreFiles, name: string, reader: SealedCodec | undefined): string {
  const written = files.read(name);
  try {
    const sealed = parseSealedRecord(written);
    const keyIsMissing = (): never => {
      throw new Error(`the key file that it was sealed with is missing: ${keyFileName(sealed?.sealedWith ?? "")}`);
    };
    const text = sealed === undefined ? written : (reader ?? keyIsMissing()).decode(name, written);
    parseRecord(name, text);
    return text;
  } catch (error) {
    throw new Error(
      `the credential record ${files.directory}/${name} cannot be converted: ${(error as Error).message}; ` +
        "remedy: restore that file from a backup and convert again; nothing was changed",
      { cause: error },
    );
  }
}

/** Asks for each passphrase once: a person may have to touch a key for it. */
function askedOnce({ passphrase, previous }: SealedOptions): SealedOptions {
  return { passphrase: once(passphrase), ...(previous && { previous: once(previous) }) };
}

function once(read: () => string): () => string {
  let text: string | undefined;
  return () => (text ??= read());
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

  decode(name: string, text: string): string {
    if (this.codec !== undefined) return this.codec.decode(name, text);
    const sealed = parseSealedRecord(text);
    if (sealed === undefined) throw notSealed();
    throw new Error(`the key file that it was sealed with is missing: ${keyFileName(sealed.sealedWith)}`);
  }
}

/** @param after the key files that it comes after */
function addKey(files: StoreFiles, options: SealedOptions, now: Date, after: readonly string[]): SealingKey {
  const passphrase = options.passphrase();
  const fault = passphraseFault(passphrase);
  if (fault !== undefined) throw new Error(`the store ${files.directory} cannot be sealed: ${fault}`);
  const { key, file } = SealingKey.generate(passphrase, now);
  const text = `${JSON.stringify(file, null, 2)}\n`;
  // Of two processes that seal a new store at once, one gives way.
  const counts = files.add(["key", ...after].join("-after-"), keyFileName(key.id), text, (_, other) => {
    try {
      return parseKeyFile(other) !== undefined;
    } catch {
      return false;
    }
  });
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
    const file = parseKeyFile(files.read(name));
    if (keyFileName(file.id) !== name) throw new Error(`it was renamed: by its content it is ${keyFileName(file.id)}`);
    return file;
  } catch (error) {
    throw new Error(
      `the key file ${files.directory}/${name} cannot be used: ${(error as Error).message}; ` +
        "remedy: restore that file from a backup; nothing was changed",
      { cause: error },
    );
  }
}
