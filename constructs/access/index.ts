export { parseAccessControlList, renderAccessControlList, type AccessRules } from "./access-control-list";
export { clientNameFault, CONTROL_CLIENT_NAME } from "./client-name";
export { generatePassword, iterationsFault, passwordFault } from "./password";
export { parsePasswordFile, renderPasswordFile, type PasswordEntry } from "./password-file";
export {
  DEFAULT_ITERATIONS,
  hashPassword,
  parsePasswordHash,
  verifyPassword,
  type HashOptions,
  type PasswordHash,
} from "./password-hash";
export { publishFilterFault, subscribeFilterFault, topicFilterFault } from "./topic";
