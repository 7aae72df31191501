import { keyStoreFormat } from "./key-stores";

// Read by what takes PKCS#12 and is not old: OpenSSL 1.1 and later with all that is built on it (curl, Node.js, Python),
// NSS (Firefox), GnuTLS, Java from 8u301 on, and Windows from Server 2019 on.
export const pkcs12 = keyStoreFormat("pkcs12", "programs that import PKCS#12 with AES-256", "modern");
