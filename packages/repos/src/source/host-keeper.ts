/**
 * The states of hosts, in memory while a tick works and in the table between ticks: a new tick, or another process, keeps to what a host asked for.
 * The worst of them are kept for people, as one small item of the run.
 */
import type { SourceItems } from "@firehose-backfill/source/items";
import {
  byTrouble,
  hostsPlace,
  MAX_SHOWN_HOSTS,
  readSourceHosts,
  type SourceHost,
} from "@firehose-backfill/source/source-hosts";
import { type HostState, NEW_HOST } from "../http/host-state.ts";
import type { HostStates } from "../http/polite-client.ts";

export interface HostKeeper {
  /** For the client: of hosts that were loaded. */
  readonly states: HostStates;
  /** To be called before a host is asked. */
  load(host: string): Promise<HostState>;
  /** `all`: counts as well; else only what a host asks for, or where it fails. */
  save(what: "all" | "waits"): Promise<void>;
}

/** All runs share what a host wants. */
export const HOSTS_GROUP = "hosts";
const KEPT_MS = 30 * 86_400_000;
const SHOWN_KEPT_MS = 365 * 86_400_000;

export function keepHosts(items: SourceItems, runId: string): HostKeeper {
  const states = new Map<string, HostState>();
  const saved = new Map<string, HostState>();
  let shown: string | null = null;

  const saveOne = async (host: string, state: HostState): Promise<void> => {
    await items.put({ group: HOSTS_GROUP, name: host }, JSON.stringify(state), KEPT_MS);
    saved.set(host, state);
  };
  /** Hosts that another process knew of stay, until worse ones come. */
  const saveShown = async (): Promise<void> => {
    if (states.size === 0) return;
    shown ??= (await items.get(hostsPlace(runId))) ?? "[]";
    const others = readSourceHosts(shown).filter(({ host }) => !states.has(host));
    const text = JSON.stringify(worstOf(states, others));
    if (text === shown) return;
    await items.put(hostsPlace(runId), text, SHOWN_KEPT_MS);
    shown = text;
  };

  return {
    states: { get: (host) => states.get(host), set: (host, state) => void states.set(host, state) },
    async load(host) {
      const known = states.get(host);
      if (known !== undefined) return known;
      const text = await items.get({ group: HOSTS_GROUP, name: host });
      const state = text === null ? NEW_HOST : readHost(text);
      // Another repository of this host may have been faster.
      if (!states.has(host)) states.set(host, state);
      saved.set(host, state);
      return states.get(host) ?? state;
    },
    async save(what) {
      const due = [...states].filter(([host, state]) => isNews(saved.get(host) ?? NEW_HOST, state, what));
      await Promise.all(due.map(([host, state]) => saveOne(host, state)));
      if (what === "all" || due.length > 0) await saveShown();
    },
  };
}

function isNews(saved: HostState, state: HostState, what: "all" | "waits"): boolean {
  if (saved.waitingUntilMs !== state.waitingUntilMs || saved.failures !== state.failures) return true;
  return what === "all" && saved.requests !== state.requests;
}

function worstOf(states: ReadonlyMap<string, HostState>, others: readonly SourceHost[]): readonly SourceHost[] {
  const ours = [...states].map(([host, { requests, errors, waitingUntilMs }]) => ({
    host: host.slice(0, MAX_SHOWN_HOST),
    requests,
    errors,
    waitingUntil: waitingUntilMs === null ? null : new Date(waitingUntilMs).toISOString(),
  }));
  return [...ours, ...others].sort(byTrouble).slice(0, MAX_SHOWN_HOSTS);
}

/** Twenty of them fit into an item. */
const MAX_SHOWN_HOST = 100;

/** What cannot be read is a host that we know nothing of. */
function readHost(text: string): HostState {
  const parsed: Partial<Record<keyof HostState, unknown>> = JSON.parse(text);
  const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0);
  const momentOf = (value: unknown): number | null => (typeof value === "number" ? value : null);
  return {
    nextAtMs: numberOf(parsed.nextAtMs),
    failures: numberOf(parsed.failures),
    unanswered: numberOf(parsed.unanswered),
    stopped: numberOf(parsed.stopped),
    waitingUntilMs: momentOf(parsed.waitingUntilMs),
    failingSinceMs: momentOf(parsed.failingSinceMs),
    answerMs: numberOf(parsed.answerMs),
    requests: numberOf(parsed.requests),
    errors: numberOf(parsed.errors),
  };
}
