import { KeyFile, parseSealedRecord, SealedRecord, SealingKey } from "./sealing";

/** How a record stands in its file. */
export interface RecordCodec {
  encode(name: string, text: string): string;
  /** @throws {Error} saying why the text is not a record in this form */
  decode(name: string, text: string): string;
}

/** As it is. */
export const PLAIN: RecordCodec = {
  encode: (_, text) => text,
  decode(_, text) {
    if (parseSealedRecord(text) === undefined) return text;
    throw new Error(
      "it is sealed, and the store is declared as a plain folder; declare CredentialStore.sealed(), or, to unseal it, " +
        "`previousPassphrase`, and run `npx cdktf-mosquitto convert STACK`",
    );
  },
};

/** Sealed one by one, so that a version control system shows which ones changed. */
export class SealedCodec implements RecordCodec {
  private readonly newest: SealingKey;

  /** @param keys at least one */
  constructor(private readonly keys: readonly SealingKey[]) {
    // By time, and where two branches each made one in the same moment, the same one on every machine.
    const age = ({ createdAt, id }: SealingKey): string => `${createdAt} ${id}`;
    this.newest = keys.reduce((best, key) => (age(key) > age(best) ? key : best));
  }

  encode(name: string, text: string): string {
    return this.newest.seal(name, text);
  }

  decode(name: string, text: string): string {
    const sealed = parseSealedRecord(text);
    if (sealed === undefined) throw notSealed();
    if (sealed.name !== name) throw new Error(`it was renamed: by its content it is ${sealed.name}`);
    return this.keyOf(sealed).unseal(sealed);
  }

  /** Whether it is sealed with the key that new records are sealed with. */
  isCurrent(text: string): boolean {
    return parseSealedRecord(text)?.sealedWith === this.newest.id;
  }

  private keyOf({ sealedWith }: SealedRecord): SealingKey {
    const key = this.keys.find(({ id }) => id === sealedWith);
    if (key === undefined)
      throw new Error(`the key file that it was sealed with is missing: ${keyFileName(sealedWith)}`);
    return key;
  }
}

export function notSealed(): Error {
  return new Error(
    "it is not sealed, and the store is declared as sealed; run `npx cdktf-mosquitto convert STACK` to seal it",
  );
}

export function keyFileName(id: KeyFile["id"]): string {
  return `key.${id}.json`;
}

export function isKeyFileName(name: string): boolean {
  return /^key\.[0-9a-f]+\.json$/.test(name);
}
