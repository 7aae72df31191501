import {
  auditTrail,
  Credentials,
  fulfil,
  Fulfilment,
  handOver,
  Issuing,
  lastHandovers,
  planIssuance,
  presentCredential,
  RecordFolder,
  revokeClient,
  UnknownClientError,
} from "../credentials";
import { bundleFingerprint, ConnectionBundle } from "../client/connection-bundle";
import { KeySource, serverNames } from "../pki";
import type { Delivery } from "./delivery";
import { connectionFile } from "./material";
import { BrokerStatus, ClientStatus, Operation, OperationAnswer } from "./operation";
import { provedMaterial } from "./proved-material";
import { verificationOf } from "./verification";

/** Does what the command asks of one broker. */
export function performOperation(operation: Operation, delivery: Delivery): OperationAnswer {
  const { store, brokerPath } = delivery;
  const head = { broker: brokerPath, store: store.location };
  try {
    return { ...head, ...perform(operation, delivery, new Date()) };
  } catch (error) {
    const isUnknown = error instanceof UnknownClientError && { unknownClient: true };
    return { ...head, error: (error as Error).message, ...isUnknown };
  }
}

function perform(operation: Operation, delivery: Delivery, now: Date): Partial<OperationAnswer> {
  const { store, wanted } = delivery;
  if (operation.name === "convert") return { converted: store.convert(now) };
  if (operation.name === "storeFiles") return { storeFiles: store.ownFiles(now) };
  // Before the store is opened: another broker's client is no reason to ask for a passphrase.
  if (operation.name === "bundle" || operation.name === "handover") refuseUnknown(operation, delivery);
  const folder = store.open(now);
  switch (operation.name) {
    case "plan":
      return notesOf(planIssuance(folder, wanted, now));
    case "issue":
      return notesOf(fulfil(folder, wanted, true, now));
    case "audit":
      return { audit: auditTrail(folder) };
    case "status": {
      const fulfilment = fulfil(folder, wanted, false, now);
      const { credentials } = fulfilment;
      return { ...notesOf(fulfilment), ...(credentials && { status: statusOf(credentials, folder, delivery) }) };
    }
    case "verification":
      return { verification: verificationOf(complete(fulfil(folder, wanted, false, now))) };
    case "revoke": {
      const revoked = revokeClient(issuingInto(folder, now), operation.client, operation.reason);
      try {
        const { issued, ...notes } = notesOf(fulfil(folder, wanted, true, now));
        return { ...notes, issued: [...revoked, ...(issued ?? [])] };
      } catch (error) {
        // Revoked it is, whatever stands in the way of what comes after.
        return {
          issued: revoked,
          error: `it is revoked, but what that takes is not issued: ${(error as Error).message}`,
        };
      }
    }
    case "handover": {
      const credentials = complete(fulfil(folder, wanted, false, now));
      const issuing = issuingInto(folder, now);
      const { clients } = operation;
      handOver(issuing, credentials, clients.length > 0 ? clients : names(delivery));
      return { issued: issuing.issued };
    }
    case "bundle": {
      const { clients = names(delivery), handed = {} } = operation;
      const credentials = complete(fulfil(folder, wanted, false, now));
      // What could not connect is handed to nobody.
      const { material, faults } = provedMaterial(credentials, delivery, now);
      if (faults.length > 0) throw new Error(`bundles that could not connect: ${faults.slice(0, 12).join("; ")}`);
      const known = names(delivery).filter((name) => clients.includes(name));
      const bundles = known.map((name) => JSON.parse(material.get(connectionFile(name)) as string) as ConnectionBundle);
      const issuing = issuingInto(folder, now);
      const present = bundles.filter((bundle) => handed[bundle.client_id] === bundleFingerprint(bundle));
      handOver(
        issuing,
        credentials,
        present.map(({ client_id: name }) => name),
      );
      return {
        bundles,
        hosts: serverNames(delivery.expected.hosts),
        ended: credentials.ended.flatMap(({ name, serial }) => (known.includes(name) ? [serial] : [])),
        issued: issuing.issued,
      };
    }
  }
}

/**
 * @throws {UnknownClientError} when this broker is not asked, has none of the clients, or has to note something of one that
 *   it does not have
 */
function refuseUnknown(
  { name, broker, clients = [] }: Extract<Operation, { name: "bundle" | "handover" }>,
  { brokerPath, ...delivery }: Delivery,
): void {
  const known = names(delivery);
  const unknown = clients.filter((one) => !known.includes(one));
  const mayLack = name === "bundle" && unknown.length < clients.length;
  if ((broker === undefined || broker === brokerPath) && (unknown.length === 0 || mayLack)) return;
  const who = unknown.length > 0 ? `client ${unknown.join(", ")}` : `broker ${broker}`;
  const done = name === "bundle" ? "" : "; nothing was noted";
  throw new UnknownClientError(
    `there is no ${who}; allowed: ${unknown.length > 0 ? known.join(", ") : brokerPath}${done}`,
  );
}

function names({ clients }: Pick<Delivery, "clients">): string[] {
  return clients.map(({ name }) => name);
}

function complete({ credentials }: Fulfilment): Credentials {
  if (credentials === undefined) throw new Error("not everything is issued yet; issue first, and deploy");
  return credentials;
}

/** What is noted here takes no new key. */
function issuingInto(folder: RecordFolder, now: Date): Issuing {
  return new Issuing(folder, now, new KeySource(new Map()));
}

function notesOf({ issued, missing, due, warnings }: Fulfilment): Partial<OperationAnswer> {
  return { issued, missing, due, warnings };
}

function statusOf(credentials: Credentials, folder: RecordFolder, { clients }: Delivery): BrokerStatus {
  const { serverAuthorities, clientAuthorities, server, nextAction } = credentials;
  const handovers = lastHandovers(folder);
  const trusted = serverAuthorities.map(({ record }) => record.fingerprint256);
  const authorities = new Map(
    [...serverAuthorities, ...clientAuthorities].map(({ record }) => [
      record.fingerprint256,
      certificateStatus(`${record.role} authority ${record.generation}`, record),
    ]),
  );
  return {
    authorities: [...authorities.values()],
    server: certificateStatus("server", server),
    clients: clients.map((client): ClientStatus => {
      const { certificate } = credentials.clients.get(client.name) ?? {};
      const handover = handovers.get(client.name);
      const isPresent = handover?.credential === presentCredential(credentials, client.name);
      return {
        name: client.name,
        method: client.method,
        credential_version: client.credentialVersion,
        ...(certificate && { not_after: certificate.notAfter }),
        handed_over_at: handover !== undefined && isPresent ? handover.issuedAt : null,
        trusts_every_authority: trusted.every((fingerprint) => handover?.trusts.includes(fingerprint) === true),
        publish: client.publish,
        subscribe: client.subscribe,
        deny: client.deny,
      };
    }),
    next_action: { at: nextAction.at.toISOString(), what: nextAction.what },
  };
}

function certificateStatus(
  name: string,
  { serial, notAfter }: { readonly serial: string; readonly notAfter: string },
): { name: string; serial: string; not_after: string } {
  return { name, serial, not_after: notAfter };
}
