import { keyStoreFormat } from "./key-stores";

// Read by what takes PKCS#12, also where it knows nothing newer than Triple DES and SHA-1, and calls the passphrase of
// anything else wrong: old Android, the key chains of macOS and iOS, Java before 8u301, Windows Server 2016.
export const pkcs12Legacy = keyStoreFormat("pkcs12-legacy", "programs that import PKCS#12 of old", "legacy");
