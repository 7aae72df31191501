import { der } from "./der";
import { contentOf, elementsIn, elementsOf } from "./der-reader";
import { SUBJECT_KEY_IDENTIFIER } from "./extensions";

/** The parts of a certificate in which those of one authority differ, and its shape: all in which they are alike. */
export interface CertificateParts {
  readonly octets: Buffer;
  /** TBSCertificate (RFC 5280 section 4.1). */
  readonly toBeSigned: Buffer;
  readonly signature: Buffer;
  /** Content of the INTEGER. */
  readonly serial: Buffer;
  /** Names, as they are encoded. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** Milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Buffer;
  /**
   * Version, issuer, algorithms, length of the key and extensions, but for the value of the subject's key identifier: as
   * a text to compare.
   */
  readonly shape: string;
}

const EXTENSIONS = 0xa3;
const SUBJECT_KEY_IDENTIFIER_DER = der.objectIdentifier(SUBJECT_KEY_IDENTIFIER);

/** @throws {Error} where the octets are not one certificate of version 3, in DER */
export function certificateParts(octets: Buffer): CertificateParts {
  const [toBeSigned, outerAlgorithm, signature, ...others] = elementsOf(octets);
  if (toBeSigned === undefined || outerAlgorithm === undefined || signature === undefined || others.length > 0) {
    throw new Error("it is not something signed");
  }
  const [version, serial, algorithm, issuer, validity, subject, publicKeyDer, ...optional] = elementsOf(toBeSigned);
  const extensions = optional.pop();
  if (version?.[0] !== 0xa0 || serial?.[0] !== 0x02 || publicKeyDer === undefined || extensions?.[0] !== EXTENSIONS) {
    throw new Error("it is no certificate of version 3");
  }
  const [notBefore, notAfter, ...moreTimes] = elementsOf(validity as Buffer);
  const [keyAlgorithm] = elementsOf(publicKeyDer);
  if (notBefore === undefined || notAfter === undefined || moreTimes.length > 0 || keyAlgorithm === undefined) {
    throw new Error("its validity or its key is missing");
  }
  const alike = Buffer.concat([
    version,
    algorithm as Buffer,
    issuer as Buffer,
    keyAlgorithm,
    ...optional,
    ...alikeExtensions(extensions),
    outerAlgorithm,
  ]);
  return {
    octets,
    toBeSigned,
    signature: withoutUnusedBits(signature),
    serial: contentOf(serial),
    issuer: issuer as Buffer,
    subject: subject as Buffer,
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    publicKeyDer,
    shape: `${publicKeyDer.length} ${alike.toString("latin1")}`,
  };
}

/** Each element says where it ends, so that what is put one after another can be read in one way only. */
function alikeExtensions(extensions: Buffer): Buffer[] {
  return elementsOf(contentOf(extensions)).flatMap((extension) => {
    const [identifier, value, ...others] = elementsOf(extension);
    const isKeyIdentifier = identifier?.equals(SUBJECT_KEY_IDENTIFIER_DER) === true;
    if (!isKeyIdentifier || value?.[0] !== 0x04 || others.length > 0) return [extension];
    const [octets, ...more] = elementsIn(contentOf(value));
    return octets?.[0] === 0x04 && more.length === 0 ? [identifier] : [extension];
  });
}

/** Content of a BIT STRING that is whole octets. */
export function withoutUnusedBits(bitString: Buffer): Buffer {
  const content = contentOf(bitString);
  if (bitString[0] !== 0x03 || content[0] !== 0) throw new Error("it is no BIT STRING of whole octets");
  return content.subarray(1);
}

const TIME = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** As RFC 5280 section 4.1.2.5 has it; verifiers refuse other forms. */
function timeOf(element: Buffer): number {
  const isShort = element[0] === 0x17;
  const [all, century, ...pairs] = TIME.exec(contentOf(element).toString("latin1")) ?? [];
  const [year = 0, month = 0, ...rest] = pairs.map(Number);
  if (all === undefined || (century === undefined) !== isShort || (!isShort && element[0] !== 0x18)) {
    throw new Error("its validity is not in UTC and whole seconds");
  }
  const fullYear = isShort ? (year < 50 ? 2000 : 1900) + year : Number(century) * 100 + year;
  const [day = 0, hour = 0, minute = 0, second = 0] = rest;
  const time = Date.UTC(fullYear, month - 1, day, hour, minute, second);
  // What is out of its range would go on counting.
  const isReal = month >= 1 && month <= 12 && new Date(time).getUTCDate() === day && hour < 24 && minute < 60;
  if (!isReal || second > 59) throw new Error("its validity has a date that there is not");
  return time;
}
