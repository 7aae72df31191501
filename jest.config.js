// Two projects: "unit" needs Node, the judges that set-up brings and the npm registry; "deploy" runs the real thing (Docker, Terraform, Mosquitto).
const shared = {
  testEnvironment: "node",
  // The temporary folder is taken away after each run.
  cacheDirectory: "<rootDir>/.cache/jest",
  transform: { "^.+\\.ts$": ["ts-jest", { diagnostics: false }] },
  modulePathIgnorePatterns: ["<rootDir>/lib/", "<rootDir>/cdktf.out/", "<rootDir>/.cache/", "<rootDir>/.work/"],
};

module.exports = {
  testSequencer: "<rootDir>/test/support/slow-first.cjs",
  projects: [
    {
      ...shared,
      displayName: "unit",
      // The examples' own tests too, so that their snapshots are updated with all others.
      testMatch: ["<rootDir>/test/**/*.test.ts", "<rootDir>/examples/*/*.test.ts"],
      moduleNameMapper: { "^cdktf-mosquitto$": "<rootDir>/constructs" },
      testPathIgnorePatterns: ["<rootDir>/test/deploy/", "<rootDir>/test/interop/"],
    },
    {
      ...shared,
      displayName: "deploy",
      testMatch: ["<rootDir>/test/deploy/**/*.test.ts", "<rootDir>/test/interop/**/*.test.ts"],
    },
  ],
};
