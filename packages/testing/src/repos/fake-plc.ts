/** A PLC directory on loopback: documents of accounts, with their key and the host of their repository. */
import type { PublicKey } from "@firehose-backfill/core/signature";
import { base58btc } from "multiformats/bases/base58";
import { type TestServer, startServer } from "./http-server.ts";
import type { TestRepo } from "./test-repo.ts";

export interface FakePlc extends TestServer {
  /** Changed while it runs, as accounts move. */
  readonly accounts: Map<string, { pds: string; key: PublicKey; names?: readonly string[] }>;
  /** Names the host for its repositories. */
  readonly put: (repo: TestRepo, pds: string) => void;
  /** DIDs that have ended. */
  readonly tombstones: Set<string>;
  /** Keys that accounts had before the one in their document, the oldest first. */
  readonly earlierKeys: Map<string, readonly PublicKey[]>;
  /** Answers nothing but 503. */
  isDown: boolean;
  /** Called at each request. */
  onAsked: () => void;
}

const CODES = { k256: [0xe7, 0x01], p256: [0x80, 0x24] } as const;

export async function startFakePlc(): Promise<FakePlc> {
  const accounts: FakePlc["accounts"] = new Map();
  const tombstones = new Set<string>();
  const earlierKeys: FakePlc["earlierKeys"] = new Map();
  const plc = { isDown: false, onAsked: () => {} };
  const server = await startServer((request, response) => {
    plc.onAsked();
    const path = decodeURIComponent((request.url ?? "").slice(1));
    const did = path.replace(/\/log\/audit$/, "");
    const account = accounts.get(did);
    response.statusCode = plc.isDown ? 503 : tombstones.has(did) ? 410 : account === undefined ? 404 : 200;
    response.setHeader("content-type", "application/did+ld+json");
    if (account === undefined || response.statusCode !== 200) response.end("{}");
    else if (path === did) response.end(JSON.stringify(documentOf(did, account)));
    else response.end(JSON.stringify([...(earlierKeys.get(did) ?? []), account.key].map(operationOf)));
  });
  const put = ({ did, signer }: TestRepo, pds: string): void => void accounts.set(did, { pds, key: signer.key });
  return Object.assign(plc, server, { accounts, tombstones, earlierKeys, put });
}

function operationOf(key: PublicKey) {
  const atproto = `did:key:${multibaseOf(key)}`;
  return { operation: { type: "plc_operation", verificationMethods: { atproto } }, nullified: false };
}

function multibaseOf({ kind, bytes }: PublicKey): string {
  return base58btc.encode(Uint8Array.from([...CODES[kind], ...bytes]));
}

export function documentOf(
  did: string,
  { pds, key, names = [] }: { readonly pds: string; readonly key: PublicKey; readonly names?: readonly string[] },
) {
  const publicKeyMultibase = multibaseOf(key);
  return {
    id: did,
    alsoKnownAs: names,
    verificationMethod: [{ id: `${did}#atproto`, type: "Multikey", controller: did, publicKeyMultibase }],
    service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: pds }],
  };
}
