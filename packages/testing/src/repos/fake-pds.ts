/** A PDS on loopback that serves repositories in memory, with the order of blocks and the errors of the reference implementation. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { cidFromText, cidToText } from "@firehose-backfill/core/cid";
import { decodeNode } from "@firehose-backfill/repos/tree/node";
import { type TestServer, startServer } from "./http-server.ts";
import { type CarBlock, makeCar } from "./make-car.ts";
import type { TestRepo } from "./test-repo.ts";

export interface FakePds extends TestServer {
  /** The repositories that it serves. A test changes them while it runs. */
  readonly repos: Map<string, TestRepo>;
  /** Earlier states of repositories by `DID REV`, for requests with `since`. Others are sent completely. */
  readonly earlier: Map<string, TestRepo>;
  /** DIDs whose repositories are refused, with the error. */
  readonly unavailable: Map<string, string>;
  /** Called before anything is looked up. It may answer itself and then returns true. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  /** Counts the calls of one method. */
  readonly callsOf: (method: string) => readonly URLSearchParams[];
}

export async function startFakePds(repos: readonly TestRepo[]): Promise<FakePds> {
  const served = new Map(repos.map((repo) => [repo.did, repo]));
  const unavailable = new Map<string, string>();
  const earlier = new Map<string, TestRepo>();
  const pds: { intercept: FakePds["intercept"] } = { intercept: null };
  const server = await startServer((request, response) => {
    if (pds.intercept?.(request, response) === true) return;
    const url = new URL(request.url ?? "", "http://localhost");
    const method = url.pathname.replace("/xrpc/com.atproto.sync.", "");
    const did = url.searchParams.get("did") ?? "";
    const refusal = unavailable.get(did);
    const repo = served.get(did);
    if (refusal !== undefined) fail(response, 400, refusal);
    else if (repo === undefined) fail(response, 400, "RepoNotFound");
    else answer(method, repo, url.searchParams, response, earlier.get(`${did} ${url.searchParams.get("since")}`));
  });
  const callsOf = (method: string): readonly URLSearchParams[] =>
    server.asked
      .map((path) => new URL(path, "http://localhost"))
      .filter(({ pathname }) => pathname.endsWith(`.${method}`))
      .map(({ searchParams }) => searchParams);
  return Object.assign(pds, server, { repos: served, earlier, unavailable, callsOf });
}

function answer(
  method: string,
  repo: TestRepo,
  params: URLSearchParams,
  response: ServerResponse,
  since: TestRepo | undefined,
): void {
  const blockOf = (cid: Uint8Array): CarBlock => ({ cid, bytes: repo.blocks.get(cidToText(cid)) ?? Buffer.alloc(0) });
  switch (method) {
    case "getRepo": {
      // Blocks are sorted by CID, descending, so the commit may be anywhere.
      const written = [...repo.blocks.keys()].filter((cid) => since?.blocks.has(cid) !== true);
      const cids = written.sort().toReversed();
      sendCar(
        response,
        makeCar(
          repo.commit,
          cids.flatMap((cid) => blockAt(repo, cid)),
        ),
      );
      return;
    }
    case "getBlocks": {
      const cids = params.getAll("cids");
      const missing = cids.filter((cid) => !repo.blocks.has(cid));
      if (missing.length > 0) fail(response, 400, "InvalidRequest", `Could not find cids: ${missing.join(",")}`);
      else
        sendCar(
          response,
          makeCar(
            null,
            cids.flatMap((cid) => blockAt(repo, cid)),
          ),
        );
      return;
    }
    case "getRecord": {
      const key = `${params.get("collection")}/${params.get("rkey")}`;
      const path = pathTo(repo, key).map(blockOf);
      sendCar(response, makeCar(repo.commit, [blockOf(repo.commit), ...path]));
      return;
    }
    case "getLatestCommit":
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ cid: cidToText(repo.commit), rev: repo.rev }));
      return;
    default:
      fail(response, 501, "MethodNotImplemented");
  }
}

function blockAt(repo: TestRepo, text: string): CarBlock[] {
  const cid = cidFromText(text);
  const bytes = repo.blocks.get(text);
  return cid === null || bytes === undefined ? [] : [{ cid, bytes }];
}

/** The nodes from the root to where the key is or would be, and the record. */
function pathTo(repo: TestRepo, key: string): Uint8Array[] {
  const path: Uint8Array[] = [];
  let next: Uint8Array | null = repo.data;
  while (next !== null) {
    path.push(next);
    const { left, entries }: ReturnType<typeof decodeNode> = decodeNode(
      Buffer.from(repo.blocks.get(cidToText(next)) ?? []),
    );
    const before = entries.findLast((entry) => entry.key <= key);
    if (before?.key === key) return [...path, before.value];
    next = before === undefined ? left : before.tree;
  }
  return path;
}

function sendCar(response: ServerResponse, car: Buffer): void {
  response.setHeader("content-type", "application/vnd.ipld.car");
  response.setHeader("content-encoding", "gzip");
  response.end(gzipSync(car, { level: 1 }));
}

function fail(response: ServerResponse, status: number, error: string, message = "as the test wants it"): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ error, message }));
}
