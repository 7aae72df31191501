import * as fs from "node:fs";
import * as path from "node:path";
import { Scratch } from "../pki/support";
import { makeFolder, removeFolder } from "../support/workspace";

/** Folders for stores, and for files of other programs, that go away with the test file. */
export function temporaryStores(prefix: string): {
  readonly parent: string;
  readonly scratch: Scratch;
  readonly newFolder: () => string;
} {
  const scratch = new Scratch();
  const parent = makeFolder(prefix);
  afterAll(() => {
    removeFolder(parent);
    scratch.remove();
  });
  return { parent, scratch, newFolder: () => path.join(fs.mkdtempSync(path.join(parent, "x-")), "store") };
}
