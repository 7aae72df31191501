import type { Issued } from "./issued";
import { lint } from "./judges";

// zlint finds nothing in what is issued that the standards forbid, advise against or only remark upon.

export const SPOTLESS = { errors: [], warnings: [], notices: [] };
const OF_ALL = ["e_serial_number_not_positive", "e_serial_number_longer_than_20_octets", "e_wrong_time_format_pre2050"];
const OF_AUTHORITIES = [...OF_ALL, "e_basic_constraints_not_critical", "e_ext_subject_key_identifier_missing_ca"];
const OF_LEAVES = [...OF_ALL, "e_key_usage_and_extended_key_usage_inconsistent", "e_incorrect_ku_encoding"];
const OF_LISTS = ["e_crl_missing_crl_number", "e_crl_has_authority_key_identifier", "e_crl_has_next_update"];
const OF_ENTRIES = [...OF_LISTS, "e_crl_has_valid_reason_code", "e_crl_revocation_time_after_this_update"];

/** That nothing was found, and that lints which matter were asked at all. */
const spotless = (asked: readonly string[]): object => ({
  ...SPOTLESS,
  passed: expect.arrayContaining([...asked]) as string[],
});

/** Lets zlint look at what was issued. */
export function judgeByLints(issued: Issued): void {
  const { belowRoot, belowIntermediate, otherRoot, crossCertificate, certified } = issued;

  test.each<[string, { certificatePem: string }, string[]]>([
    ["a root", belowRoot.root, OF_AUTHORITIES],
    ["an intermediate", belowIntermediate.authority, OF_AUTHORITIES],
    ["another root", otherRoot, OF_AUTHORITIES],
    ["an authority's cross certificate", crossCertificate, OF_AUTHORITIES],
    ["a server of the root", belowRoot.server, OF_LEAVES],
    ["a server of an intermediate", belowIntermediate.server, OF_LEAVES],
    ["a client of the root", belowRoot.client, OF_LEAVES],
    ["a client of an intermediate", belowIntermediate.client, OF_LEAVES],
    ["a client whose key was made elsewhere", certified, OF_LEAVES],
  ])("zlint finds nothing in %s", async (_, { certificatePem }, asked) => {
    expect(await lint([{ certificate: certificatePem }])).toEqual([spotless(asked)]);
  });

  test.each<[string, string, string[]]>([
    ["an empty revocation list", issued.emptyList, OF_LISTS],
    ["an intermediate's revocation list", belowIntermediate.list, OF_ENTRIES],
    ["a revocation list with every reason", issued.longList, OF_ENTRIES],
  ])("zlint finds nothing in %s", async (_, list, asked) => {
    expect(await lint([{ list }])).toEqual([spotless(asked)]);
  });
}
