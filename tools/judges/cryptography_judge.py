"""Lets Python's cryptography judge certificates and revocation lists that others issued.

Reads a JSON list of cases from standard input and prints the list of their verdicts, as the Go program beside it does.
"""

import base64
import datetime
import ipaddress
import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import verification


class Refused(Exception):
    pass


def certificate(pem):
    [only] = x509.load_pem_x509_certificates(pem.encode())
    return only


def time_of(text):
    # Before Python 3.11, fromisoformat knows no Z.
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def text_of(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def common_name(name):
    [attribute] = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return attribute.value


def subject_of(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def leaf_policy(usage, allow_missing_names):
    """The library's own rules for the public web, with one exception where a case asks for it.

    They demand a subject alternative name of every leaf. A client of a broker has a common name only.
    """
    policy = verification.ExtensionPolicy.webpki_defaults_ee()
    if usage == "clientAuth" and allow_missing_names:
        agnostic = verification.Criticality.AGNOSTIC
        policy = policy.may_be_present(x509.SubjectAlternativeName, agnostic, None)
    return policy


def chain(case):
    at = time_of(case["at"]) if "at" in case else datetime.datetime.now(datetime.timezone.utc)
    roots = [certificate(pem) for pem in case["roots"]]
    leaf = certificate(case["leaf"])
    intermediates = [certificate(pem) for pem in case.get("intermediates", [])]
    builder = (
        verification.PolicyBuilder()
        .store(verification.Store(roots))
        .time(at)
        .extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
            ee_policy=leaf_policy(case["usage"], case.get("allowMissingNames", False)),
        )
    )
    try:
        if case["usage"] == "serverAuth":
            found = builder.build_server_verifier(subject_of(case["host"])).verify(leaf, intermediates)
        else:
            found = builder.build_client_verifier().verify(leaf, intermediates).chain
    except verification.VerificationError as error:
        raise Refused(str(error)) from error
    check_revocation(found, case.get("lists", []), at)
    return [common_name(each.subject) for each in found]


def check_revocation(found, lists, at):
    """What the library leaves to its users."""
    if not lists:
        return
    parsed = [x509.load_pem_x509_crl(pem.encode()) for pem in lists]
    for subject, issuer in zip(found, found[1:]):
        of_issuer = [each for each in parsed if is_from(each, issuer)]
        if not of_issuer:
            raise Refused("no revocation list is signed by the certificate's issuer")
        if not of_issuer[0].last_update_utc <= at <= of_issuer[0].next_update_utc:
            raise Refused("the revocation list is not valid at this time")
        if of_issuer[0].get_revoked_certificate_by_serial_number(subject.serial_number) is not None:
            raise Refused("the certificate is revoked")


def is_from(revocations, issuer):
    return revocations.issuer == issuer.subject and revocations.is_signature_valid(issuer.public_key())


def hex_of(serial):
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex().upper()


def reason_of(entry):
    try:
        # As RFC 5280 section 5.3.1 numbers them, which the library keeps to itself.
        names = ["unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded"]
        names += ["cessationOfOperation", "certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"]
        return names.index(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
    except x509.ExtensionNotFound:
        return 0


def revocation_list(case):
    parsed = x509.load_pem_x509_crl(case["list"].encode())
    if not is_from(parsed, certificate(case["issuer"])):
        raise Refused("the list is not signed by this issuer")
    return {
        "number": str(parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number),
        "thisUpdate": text_of(parsed.last_update_utc),
        "nextUpdate": text_of(parsed.next_update_utc),
        "revoked": [
            {"serial": hex_of(entry.serial_number), "at": text_of(entry.revocation_date_utc), "reason": reason_of(entry)}
            for entry in parsed
        ],
    }


def public_octets(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key(case):
    private = serialization.load_pem_private_key(case["key"].encode(), password=None)
    public = certificate(case["certificate"]).public_key()
    if public_octets(private.public_key()) != public_octets(public):
        raise Refused("the key is not the certificate's")
    return "RSA" if isinstance(public, rsa.RSAPublicKey) else "ECDSA"


def request(case):
    parsed = x509.load_pem_x509_csr(case["request"].encode())
    if not parsed.is_signature_valid:
        raise Refused("the request is not signed with its own key")
    return common_name(parsed.subject)


def named(each):
    name = each.friendly_name
    pem = each.certificate.public_bytes(serialization.Encoding.PEM).decode()
    return {"name": None if name is None else name.decode(), "certificate": pem}


def key_store(case):
    try:
        store = pkcs12.load_pkcs12(base64.b64decode(case["store"]), case["passphrase"].encode())
    except ValueError as error:
        raise Refused(str(error)) from error
    others = [named(each) for each in store.additional_certs]
    if store.key is None:
        return {"others": others}
    if public_octets(store.key.public_key()) != public_octets(store.cert.certificate.public_key()):
        raise Refused("the key is not the certificate's")
    return {"own": named(store.cert), "others": others}


JUDGES = {"chain": chain, "list": revocation_list, "key": key, "keyStore": key_store, "request": request}


def judge(case):
    try:
        return {"accepted": JUDGES[case["judge"]](case)}
    except Refused as error:
        return {"refused": str(error)}


print(json.dumps([judge(case) for case in json.load(sys.stdin)]))
