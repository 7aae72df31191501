// Two projects: "unit" needs nothing but Node; "deploy" runs the real thing (Docker, Terraform, Mosquitto).
const shared = {
  testEnvironment: "node",
  transform: { "^.+\\.ts$": ["ts-jest", { diagnostics: false }] },
  modulePathIgnorePatterns: ["<rootDir>/lib/", "<rootDir>/cdktf.out/", "<rootDir>/.cache/", "<rootDir>/.work/"],
};

module.exports = {
  projects: [
    {
      ...shared,
      displayName: "unit",
      testMatch: ["<rootDir>/test/**/*.test.ts"],
      testPathIgnorePatterns: ["<rootDir>/test/deploy/"],
    },
    { ...shared, displayName: "deploy", testMatch: ["<rootDir>/test/deploy/**/*.test.ts"] },
  ],
};
