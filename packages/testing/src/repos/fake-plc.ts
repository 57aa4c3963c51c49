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
  /** Answers nothing but 503. */
  isDown: boolean;
  /** Called at each request. */
  onAsked: () => void;
}

const CODES = { k256: [0xe7, 0x01], p256: [0x80, 0x24] } as const;

export async function startFakePlc(): Promise<FakePlc> {
  const accounts: FakePlc["accounts"] = new Map();
  const plc = { isDown: false, onAsked: () => {} };
  const server = await startServer((request, response) => {
    plc.onAsked();
    const did = decodeURIComponent((request.url ?? "").slice(1));
    const account = accounts.get(did);
    response.statusCode = plc.isDown ? 503 : account === undefined ? 404 : 200;
    response.setHeader("content-type", "application/did+ld+json");
    response.end(account === undefined || plc.isDown ? "{}" : JSON.stringify(documentOf(did, account)));
  });
  const put = ({ did, signer }: TestRepo, pds: string): void => void accounts.set(did, { pds, key: signer.key });
  return Object.assign(plc, server, { accounts, put });
}

function documentOf(
  did: string,
  { pds, key, names = [] }: { readonly pds: string; readonly key: PublicKey; readonly names?: readonly string[] },
) {
  const publicKeyMultibase = base58btc.encode(Uint8Array.from([...CODES[key.kind], ...key.bytes]));
  return {
    id: did,
    alsoKnownAs: names,
    verificationMethod: [{ id: `${did}#atproto`, type: "Multikey", controller: did, publicKeyMultibase }],
    service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: pds }],
  };
}
