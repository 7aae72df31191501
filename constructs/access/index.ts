export { parseAccessControlList, renderAccessControlList } from "./access-control-list";
export { decide, type Direction } from "./access-decision";
export { accessMatrix, type AccessMatrixEntry } from "./access-matrix";
export { accessRulesFault, contradictionFault, type AccessRules } from "./access-rules";
export {
  clientNameFault,
  CONTROL_CLIENT_NAME,
  EXPIRED_CANARY_NAME,
  REVOKED_CANARY_NAME,
  VERIFY_CLIENT_NAME,
} from "./client-name";
export { generatePassword, iterationsFault, passwordFault } from "./password";
export { parsePasswordFile, renderPasswordFile, type PasswordEntry } from "./password-file";
export {
  DEFAULT_ITERATIONS,
  hashPassword,
  parsePasswordHash,
  passwordHashFault,
  verifyPassword,
  type HashOptions,
  type PasswordHash,
} from "./password-hash";
export {
  ruleFilterFault,
  publishFilterFault,
  subscribeFilterFault,
  topicFilterFault,
  topicLevel,
  topicNameFault,
} from "./topic";
export { type Coverage } from "./topic-coverage";
export { TopicFilter } from "./topic-filter";
export { TopicIndex } from "./topic-index";
export { type TopicPattern } from "./topic-pattern";
