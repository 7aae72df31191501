const { default: Sequencer } = require("@jest/test-sequencer");

/** Test files of half a minute and more: started last, one of them would keep one core while the other idles. */
const SLOW = [
  "deploy/runbooks-credentials",
  "deploy/runbooks-operations",
  "deploy/fresh-checkout",
  "deploy/changes",
  "deploy/faults",
  "deploy/rotation",
  "deploy/engine-faults",
  "deploy/interrupted",
  "deploy/removed-by-hand",
  "deploy/full-disk",
  "deploy/rehearsal",
  "deploy/command",
  "deploy/ended-credentials",
  "deploy/own-authority",
  "deploy/life-of-a-broker",
  "credentials/crash",
  "cli/store",
  "consumer/snapshot",
  "credentials/concurrency",
  "credentials/disk-and-clock",
  "judges/rsa",
];

/** @param {import("@jest/test-result").Test} test */
function rank({ path }) {
  const index = SLOW.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  return index === -1 ? SLOW.length : index;
}

/** Jest knows how long each file takes once it has run here; in a fresh checkout it goes by their size. */
module.exports = class SlowFirst extends Sequencer {
  /**
   * @override
   * @param {import("@jest/test-result").Test[]} tests
   */
  async sort(tests) {
    return (await super.sort(tests)).sort((one, other) => rank(one) - rank(other));
  }
};
