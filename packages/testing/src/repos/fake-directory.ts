/** A PLC directory on loopback: documents of the accounts that a fake PDS serves. */
import type { PublicKey } from "@firehose-backfill/core/signature";
import { startServer, type TestServer } from "./http-server.ts";

export interface FakeDirectory extends TestServer {
  /** What it says now. An account that is not there is gone. */
  readonly accounts: Map<string, { readonly key: PublicKey; readonly pds: string }>;
}

export async function startFakeDirectory(
  accounts: Iterable<readonly [did: string, account: { readonly key: PublicKey; readonly pds: string }]>,
): Promise<FakeDirectory> {
  const known = new Map(accounts);
  const server = await startServer((request, response) => {
    const did = (request.url ?? "").slice(1);
    const account = known.get(did);
    response.statusCode = account === undefined ? 404 : 200;
    response.end(account === undefined ? "{}" : JSON.stringify(documentOf(did, account)));
  });
  return Object.assign(server, { accounts: known });
}

function documentOf(did: string, { key, pds }: { readonly key: PublicKey; readonly pds: string }): object {
  return {
    id: did,
    verificationMethod: [
      { id: `${did}#atproto`, type: "Multikey", controller: did, publicKeyMultibase: multibaseOf(key) },
    ],
    service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: pds }],
  };
}

const PREFIXES = { k256: [0xe7, 0x01], p256: [0x80, 0x24] } as const;
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function multibaseOf({ kind, bytes }: PublicKey): string {
  let rest = BigInt(`0x${Buffer.from([...PREFIXES[kind], ...bytes]).toString("hex")}`);
  let text = "";
  for (; rest > 0n; rest /= 58n) text = BASE58.charAt(Number(rest % 58n)) + text;
  return `z${text}`;
}
