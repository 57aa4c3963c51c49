/** Checks repositories: whether the directory answers, and the host of one account. Only if a run would read repositories. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { Settings } from "@firehose-backfill/core/config/settings";
import { describeError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { parseEndpoint } from "@firehose-backfill/repos/http/endpoint";
import type { ResolveName } from "@firehose-backfill/repos/http/guarded-lookup";
import { hostTable } from "@firehose-backfill/repos/http/host-table";
import { createPoliteClient } from "@firehose-backfill/repos/http/polite-client";
import { createRepoClient } from "@firehose-backfill/repos/xrpc/repo-client";
import { RepoUnavailableError } from "@firehose-backfill/repos/xrpc/xrpc-error";
import { type Check, fail, ok, warn } from "./check.ts";

export interface ReposCheckOptions {
  readonly settings: Pick<Settings, "source" | "handles" | "plcUrl" | "dids" | "hostRate">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly userAgent: string;
  readonly resolveName: ResolveName;
  readonly signal: AbortSignal;
}

/** An account of the makers of the PLC directory. It is used if the settings name no account. */
const SAMPLE_DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
const MAX_WAIT_MS = 5_000;

/** Nothing where neither repositories are read nor handles looked up. */
export async function checkRepos(options: ReposCheckOptions): Promise<readonly Check[]> {
  const { settings } = options;
  const readsRepos = settings.source === "repos" || settings.source === "both";
  if (!readsRepos && settings.source !== "handles" && !settings.handles) return [];
  using client = openDidClient({ ...options, plcUrl: settings.plcUrl });
  const [did = SAMPLE_DID] = settings.dids;
  const isOurs = settings.dids.length > 0;
  let document: Awaited<ReturnType<typeof client.resolveDid>>;
  try {
    document = await client.resolveDid(did);
  } catch (error) {
    return [
      fail(
        "directory",
        describeError(error),
        "check BACKFILL_PLC_URL and the network; neither repositories nor handles are read without it",
      ),
    ];
  }
  const answers = ok("directory", `${settings.plcUrl} answers`);
  if (!readsRepos) return [answers];
  if (document === null) {
    if (!isOurs) return [answers];
    const finding = `${settings.plcUrl} has no document of ${did}, the first one of BACKFILL_DIDS`;
    return [answers, warn("repositories", finding, "check the list: each account without a document is a dead event")];
  }
  if (document.isTombstone)
    return [
      answers,
      warn("repositories", `${did}: its DID has ended`, "it gets the status `tombstone`; others are read"),
    ];
  return [answers, await checkHost(options, did, document.pds)];
}

async function checkHost(options: ReposCheckOptions, did: string, pds: string | null): Promise<Check> {
  const { settings, signal } = options;
  const rules = { allowLoopback: settings.plcUrl.startsWith("http:") };
  const endpoint = pds === null ? "its document names no host" : parseEndpoint(pds, rules);
  if (typeof endpoint === "string")
    return warn("repositories", `${did}: ${escapeForLog(endpoint)}`, "it becomes a dead event; others are read");
  using polite = createPoliteClient({
    ...options,
    rules,
    requestsPerSecond: settings.hostRate,
    states: hostTable(1),
    maxWaitMs: MAX_WAIT_MS,
  });
  try {
    const { rev } = await createRepoClient(polite).getLatestCommit({ origin: endpoint.origin, did }, signal);
    return ok("repositories", `${endpoint.host} has ${did} at revision ${escapeForLog(rev)}`);
  } catch (error) {
    const finding = `${endpoint.host}: ${describeError(error)}`;
    return error instanceof RepoUnavailableError
      ? ok("repositories", `${endpoint.host} answers; ${did} is ${error.state} there`)
      : warn(
          "repositories",
          finding,
          "repositories of a host that does not answer wait, and are given up after about an hour",
        );
  }
}
