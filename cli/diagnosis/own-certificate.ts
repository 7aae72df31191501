import { createPrivateKey, X509Certificate } from "node:crypto";
import { ConnectionBundle, EndpointAuthentication } from "../../constructs/client/connection-bundle";
import { Handshake, ShownCertificate, wordsOf } from "../verification/handshake";
import { because, notChecked, ok, Verdict } from "./causes";
import { deployedCertificate, KnownClient } from "./known-client";

/** What the client can show in a handshake, where its key is there and is its certificate's. */
export function shownCertificate({ cert_pem, key_pem }: ConnectionBundle): ShownCertificate | undefined {
  return cert_pem !== undefined && key_pem !== undefined && isPair(cert_pem, key_pem)
    ? { cert_pem, key_pem }
    : undefined;
}

function isPair(certificatePem: string, keyPem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

/**
 * Whether the listener takes the client's certificate.
 *
 * @param handshake one in which it was shown, if it could be
 * @param asks what the listener asks for, if that is known
 */
export function certificateVerdict(
  bundle: ConnectionBundle,
  handshake: Handshake,
  asks: EndpointAuthentication | undefined,
  known: KnownClient,
  now: Date,
): Verdict {
  const { cert_pem: pem, key_pem: key } = bundle;
  if (asks === "password") return ok("the listener asks for none");
  if (pem === undefined) {
    if (handshake.kind === "accepted") return ok("the listener asks for none");
    return because("certificate-missing", "the listener asks for a certificate, and the bundle has none");
  }
  const certificate = new X509Certificate(pem);
  const whose = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "";
  if (whose !== known.name && whose !== `${known.name}:with-password`) {
    return because("bundle-of-another-client", `its certificate is ${whose}'s, not ${known.name}'s`);
  }
  if (key === undefined) return unshown(certificate, known, now);
  if (!isPair(pem, key)) return because("key-mismatch", "its key does not belong to its certificate");
  const until = new Date(certificate.validTo);
  if (handshake.kind === "accepted") {
    const odd = until <= now ? "; it has ended by this clock, and not by the broker's" : "";
    return ok(`${title(certificate)}, until ${until.toISOString()}${odd}`);
  }
  if (handshake.kind !== "alert") return because("certificate-bad", `with its certificate: ${wordsOf(handshake)}`);
  return refused(handshake.alert, certificate, known, now);
}

/** What an alert of the broker means, by all that is known beside. */
function refused(alert: string, certificate: X509Certificate, known: KnownClient, now: Date): Verdict {
  const [from, until] = [certificate.validFrom, certificate.validTo].map((time) => new Date(time)) as [Date, Date];
  const said = `the broker says "${alert}" to ${title(certificate)}`;
  switch (alert) {
    case "certificate revoked":
      return ended(certificate, known, said);
    case "certificate expired":
      if (until <= now) return because("certificate-expired", `${said}, which ended ${until.toISOString()}`);
      return because(
        "broker-clock",
        `${said}, which ends ${until.toISOString()}: its clock is wrong, or its revocation list has ended`,
      );
    case "unknown ca":
      return because(
        "certificate-foreign",
        `${said}: it is of an authority that the broker does not trust, or no longer`,
      );
    case "certificate required":
    case "handshake failure":
      return because("certificate-missing", `${said}: it was not shown`);
    default:
      if (from > now) {
        return because("certificate-not-yet-valid", `${said}, which is valid only from ${from.toISOString()}`);
      }
      return because("certificate-bad", `${said}: it is damaged, or not valid yet by the broker's clock`);
  }
}

/** On the broker's revocation list there are those that were revoked or replaced, and those whose client was removed. */
function ended(certificate: X509Certificate, known: KnownClient, said: string): Verdict {
  const serial = certificate.serialNumber.toUpperCase();
  const deployed = deployedCertificate(known)?.serial.toUpperCase();
  const present = known.stored?.cert_pem;
  const now = deployed ?? (present === undefined ? undefined : new X509Certificate(present).serialNumber.toUpperCase());
  if (known.isDeclared === false || (known.deployed !== undefined && deployed === undefined && present === undefined)) {
    return because("certificate-on-hold", `${said}: ${known.name} was removed from the declaration`);
  }
  if (now !== undefined && now !== serial) {
    return because("certificate-replaced", `${said}: it was revoked or replaced; the present one has serial ${now}`);
  }
  return because("certificate-revoked", `${said}: it was revoked`);
}

/** Without the key nothing can be shown, but much is known. */
function unshown(certificate: X509Certificate, known: KnownClient, now: Date): Verdict {
  const [from, until] = [certificate.validFrom, certificate.validTo].map((time) => new Date(time)) as [Date, Date];
  const serial = certificate.serialNumber.toUpperCase();
  const shown = title(certificate);
  if (until <= now) return because("certificate-expired", `${shown} ended ${until.toISOString()}`);
  if (from > now) return because("certificate-not-yet-valid", `${shown} is valid only from ${from.toISOString()}`);
  if (known.isDeclared === false) {
    return because("certificate-on-hold", `${known.name} was removed from the declaration, and ${shown} with it`);
  }
  if (known.ended.includes(serial)) return because("certificate-replaced", `${shown} was revoked or replaced`);
  const deployed = deployedCertificate(known)?.serial.toUpperCase();
  const isDeployed = deployed === serial ? ", as deployed" : "";
  return notChecked(
    `${shown}${isDeployed}; it could not be shown: the bundle has no key, which the client keeps to itself`,
  );
}

function title({ serialNumber }: X509Certificate): string {
  return `certificate ${serialNumber}`;
}
