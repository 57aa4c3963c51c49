/** A PDS on loopback that serves repositories in memory, with the order of blocks and the errors of the reference implementation. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { type TestServer, startServer } from "./http-server.ts";
import { answerOf, type PdsAnswer, refusalOf } from "./pds-answer.ts";
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
    const did = url.searchParams.get("did") ?? "";
    const refusal = unavailable.get(did);
    const repo = served.get(did);
    if (refusal !== undefined) sendAnswer(response, refusalOf(400, refusal));
    else if (repo === undefined) sendAnswer(response, refusalOf(400, "RepoNotFound"));
    else sendAnswer(response, answerOf(url, repo, earlier.get(`${did} ${url.searchParams.get("since")}`)));
  });
  const callsOf = (method: string): readonly URLSearchParams[] =>
    server.asked
      .map((path) => new URL(path, "http://localhost"))
      .filter(({ pathname }) => pathname.endsWith(`.${method}`))
      .map(({ searchParams }) => searchParams);
  return Object.assign(pds, server, { repos: served, earlier, unavailable, callsOf });
}

function sendAnswer(response: ServerResponse, { status, type, body }: PdsAnswer): void {
  response.statusCode = status;
  response.setHeader("content-type", type);
  if (type === "application/json") {
    response.end(body);
    return;
  }
  response.setHeader("content-encoding", "gzip");
  response.end(gzipSync(body, { level: 1 }));
}
