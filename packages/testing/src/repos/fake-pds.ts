/** A PDS on loopback that serves repositories in memory, with the order of blocks and the errors of the reference implementation. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { type TestServer, startServer } from "./http-server.ts";
import { answerOf, type PdsAnswer, refusalOf } from "./pds-answer.ts";
import type { TestRepo } from "./test-repo.ts";

export interface FakePds extends TestServer {
  /** What it serves now; changed while it runs, as commits are made. */
  readonly repos: Map<string, TestRepo>;
  /** What `since` refers to: repositories as they were, by `DID REV`. Others are sent whole. */
  readonly earlier: Map<string, TestRepo>;
  /** DIDs whose repositories are not to be had, and by which error. */
  readonly unavailable: Map<string, string>;
  /** Answers by itself before anything is looked up; true: it did. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  /** Calls of one method. */
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
