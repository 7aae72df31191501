import { judgeEverything } from "./everything";

jest.setTimeout(30_000);

describe.each(["ECDSA-P256", "ECDSA-P384"])("with keys of %s", judgeEverything);
