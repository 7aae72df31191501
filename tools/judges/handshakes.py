"""Lets Python's ssl, in its strictest mode, shake hands with certificates that others issued.

Reads a JSON list of cases from standard input. For each it prints the client's name as the server sees it, or which
side refused the other and why.
"""

import json
import os
import ssl
import sys
import tempfile


def context(protocol, side, trusted, lists):
    made = ssl.SSLContext(protocol)
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.load_cert_chain(file_of("".join(side["chain"])), file_of(side["key"]))
    made.load_verify_locations(cadata="".join(trusted))
    if lists:
        made.load_verify_locations(file_of("".join(lists)))
        made.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    return made


def file_of(text):
    file = os.path.join(folder, str(len(os.listdir(folder))))
    with open(file, "w", encoding="utf8") as opened:
        opened.write(text)
    return file


def handshake(case):
    """In memory, one side's octets handed to the other until both are done."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context(ssl.PROTOCOL_TLS_SERVER, case["server"], case["trustedByServer"], case.get("lists"))
    client = context(ssl.PROTOCOL_TLS_CLIENT, case["client"], case["trustedByClient"], None)
    for side in (server, client):
        side.minimum_version = side.maximum_version = getattr(ssl.TLSVersion, case["version"])
    sides = {
        "client": client.wrap_bio(to_client, to_server, server_hostname=case["host"]),
        "server": server.wrap_bio(to_server, to_client, server_side=True),
    }
    pending = dict(sides)
    for _ in range(20):
        for name, side in list(pending.items()):
            try:
                side.do_handshake()
                del pending[name]
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                return f"refused by the {name}: {error.verify_message}"
            except ssl.SSLError as error:
                return f"failed at the {name}: {error}"
        if not pending:
            subject = sides["server"].getpeercert()["subject"]
            return "accepted: " + dict(part[0] for part in subject)["commonName"]
    return "failed: stuck"


with tempfile.TemporaryDirectory() as folder:
    print(json.dumps([handshake(case) for case in json.load(sys.stdin)]))
