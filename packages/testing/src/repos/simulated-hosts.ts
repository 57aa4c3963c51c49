/**
 * Hosts of repositories, and the directory of their accounts, without sockets: answers take their time on a virtual clock, so an hour of polite requests
 * passes in seconds. Some hosts are slow, some are dead, some refuse.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { HostError } from "@firehose-backfill/repos/http/http-errors";
import type { HttpAnswer, SendGet } from "@firehose-backfill/repos/http/request";
import { documentOf } from "./fake-plc.ts";
import { answerOf, refusalOf } from "./pds-answer.ts";
import type { TestRepo } from "./test-repo.ts";

/** What a host does with a request: answers after a while, refuses (429 without a header, if nothing else is said) or never answers. */
export type Manners =
  | { readonly kind: "answers"; readonly afterMs: number }
  | { readonly kind: "refuses"; readonly afterMs: number; readonly status?: number; readonly retryAfter?: string }
  | { readonly kind: "silent" };

export interface SimulatedHost {
  readonly name: string;
  readonly repos: readonly TestRepo[];
  /** Default: it answers after 50 ms. `count`: its requests so far, this one included. */
  readonly manners?: ((count: number, path: string) => Manners) | undefined;
}

export interface SimulatedHosts {
  readonly send: SendGet;
  /** When each host was asked, in order, by its name. */
  readonly askedAtMs: ReadonlyMap<string, readonly number[]>;
  /** Most requests that were with one host at the same time. */
  readonly mostAtOnce: () => number;
}

const USUAL: Manners = { kind: "answers", afterMs: 50 };

export function simulatedHosts(clock: Clock, hosts: readonly SimulatedHost[]): SimulatedHosts {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const homes = new Map(hosts.flatMap((host) => host.repos.map((repo) => [repo.did, { host, repo }] as const)));
  const askedAtMs = new Map(hosts.map(({ name }) => [name, [] as number[]]));
  const active = new Map<string, number>();
  let most = 0;

  /** null: there is no answer within the deadline. */
  const answer = async (
    host: SimulatedHost,
    path: string,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<HttpAnswer | null> => {
    const asked = askedAtMs.get(host.name) ?? [];
    asked.push(clock.now());
    const manners = host.manners?.(asked.length, path) ?? USUAL;
    const afterMs = manners.kind === "silent" ? Number.POSITIVE_INFINITY : manners.afterMs;
    await clock.sleep(Math.min(afterMs, deadlineMs), signal);
    if (signal.aborted) throw new HostError("unreachable", "the request was stopped");
    if (afterMs > deadlineMs) return null;
    if (manners.kind === "refuses") {
      const { status = 429, retryAfter = null } = manners;
      const header = (name: string) => (name === "retry-after" ? retryAfter : null);
      return { ...bodyOf(status, Buffer.from("<html>")), header };
    }
    const url = new URL(path, `https://${host.name}`);
    const home = homes.get(url.searchParams.get("did") ?? "");
    const { status, body } =
      home === undefined || home.host !== host ? refusalOf(400, "RepoNotFound") : answerOf(url, home.repo);
    return bodyOf(status, body);
  };

  return {
    askedAtMs,
    mostAtOnce: () => most,
    async send({ endpoint, path }, limits, _context, signal, use) {
      const { hostname } = endpoint;
      if (hostname === DIRECTORY) {
        const did = decodeURIComponent(path.slice(1));
        const home = homes.get(did);
        if (home === undefined) return await use(bodyOf(404, Buffer.from("{}")));
        const account = { pds: `https://${home.host.name}`, key: home.repo.signer.key };
        return await use(bodyOf(200, Buffer.from(JSON.stringify(documentOf(did, account)))));
      }
      const host = byName.get(hostname);
      if (host === undefined) throw new HostError("unreachable", `${hostname} cannot be reached`);
      const count = (active.get(hostname) ?? 0) + 1;
      active.set(hostname, count);
      most = Math.max(most, count);
      try {
        const answered = await answer(host, path, limits.firstByteMs ?? limits.deadlineMs, signal);
        if (answered === null) throw new HostError("timeout", `${hostname} did not answer`);
        return await use(answered);
      } finally {
        active.set(hostname, count - 1);
      }
    },
  };
}

const DIRECTORY = "plc.directory";

function bodyOf(status: number, bytes: Buffer): HttpAnswer {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return { status, header: () => null, body: body() };
}
