import { judgeEverything } from "./everything";

jest.setTimeout(30_000);

describe.each(["RSA-2048", "RSA-3072", "RSA-4096"])("with keys of %s", judgeEverything);
