/** What a run over repositories or handles is: how it is named, which repositories it reads, how far back; and which starts are refused, with what would be right. */
import { definitionOf } from "@firehose-backfill/core/config/definitions";
import { hostKey } from "@firehose-backfill/core/config/host-key";
import type { Config, Settings, SourceKind } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import type { RunSource } from "@firehose-backfill/source/kit";
import type { EndPoint, StartPoint } from "@firehose-backfill/source/points";
import { effectiveDelayMs } from "@firehose-backfill/throttle/slots";
import { isGiven } from "./given-settings.ts";

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;

/** The network at the end of 2026: accounts, and records of one, most of which have none. */
const NETWORK_ACCOUNTS = 43_000_000;
const RECORDS_AN_ACCOUNT = 600;

/** For people: `bsky.network`, `repositories of 3 accounts`, `repositories that bsky.network lists`. */
export function runSourceOf({ source, relayUrl, dids }: Pick<Settings, "source" | "relayUrl" | "dids">): RunSource {
  if (source === "handles") return { kind: "handles", host: "handles of the accounts in the database" };
  if (source !== "repos") return { kind: "relay", host: hostKey(relayUrl) };
  if (dids.length > 0) return { kind: "repos", host: `repositories of ${count(dids.length, "account")}` };
  const hosts = (relayUrl ?? "").split(",").map(hostKey);
  return { kind: "repos", host: `repositories that ${hosts.join(", ")} lists` };
}

/** Without BACKFILL_DAYS everything is read. */
export function startOfRepos(config: Config, nowMs: number): StartPoint {
  const { days } = config.settings;
  return days === -1 || !isGiven(config, "days") ? { kind: "oldest" } : { kind: "time", timeMs: nowMs - days * DAY_MS };
}

/** @throws UsageError */
export function refuseWithoutRepos({ settings }: Pick<Config, "settings">): void {
  const { dids, collections, relayUrl } = settings;
  if (dids.length > 0) return;
  if (collections.length === 0)
    throw new UsageError(
      `BACKFILL_SOURCE=repos needs to know which repositories: set BACKFILL_DIDS to accounts, or BACKFILL_COLLECTIONS to collections. The whole network would be about ${millions(NETWORK_ACCOUNTS)} million accounts x ${RECORDS_AN_ACCOUNT} records = ${(NETWORK_ACCOUNTS * RECORDS_AN_ACCOUNT).toLocaleString("en-US")} records; ${wholeNetworkText(settings)}`,
    );
  const pattern = collections.find((collection) => collection.endsWith("*"));
  if (pattern !== undefined)
    throw new UsageError(
      `BACKFILL_COLLECTIONS holds ${pattern}: hosts list repositories by whole collections only; name the collections one by one, or set BACKFILL_DIDS`,
    );
  if (relayUrl === null)
    throw new UsageError(
      `BACKFILL_SOURCE=repos without BACKFILL_DIDS asks a host which repositories have these collections: set RELAY_URL to one that answers listReposByCollection, such as wss://bsky.network`,
    );
}

/** @throws UsageError for what only a stream has */
export function refuseRangeOfRepos({ start, end }: { readonly start?: StartPoint; readonly end?: EndPoint }): void {
  if (start?.kind === "seq" || start?.kind === "live")
    throw new UsageError(
      "repositories have no sequence numbers: --from takes a time or oldest with BACKFILL_SOURCE=repos",
    );
  if (end !== undefined && end.kind !== "caught-up")
    throw new UsageError("repositories hold the present only: --to is for BACKFILL_SOURCE=relay");
}

/** One configuration a run; that of the handles is the last one. */
export function configsOf(config: Config): readonly Config[] {
  const { source, handles } = config.settings;
  const kinds: readonly SourceKind[] = source === "both" ? ["relay", "repos"] : [source];
  const all: readonly SourceKind[] = handles && source !== "handles" ? [...kinds, "handles"] : kinds;
  return all.length === 1
    ? [config]
    : all.map((kind) => ({ ...config, settings: { ...config.settings, source: kind } }));
}

function wholeNetworkText(settings: Settings): string {
  const delayMs = effectiveDelayMs(settings, 1);
  const records = NETWORK_ACCOUNTS * RECORDS_AN_ACCOUNT;
  if (delayMs === 0) return "without a pace that is as long as your database takes";
  const perSecond = (settings.batchSize * 1_000) / delayMs;
  const years = ((records / perSecond) * 1_000) / YEAR_MS;
  const { name } = definitionOf("profile");
  return `at this pace (${Number(perSecond.toFixed(2))} a second, ${name}=${settings.profile}) that takes about ${Math.max(1, Math.round(years)).toLocaleString("en-US")} years`;
}

function millions(value: number): string {
  return String(Math.round(value / 1_000_000));
}

function count(value: number, noun: string): string {
  return `${value.toLocaleString("en-US")} ${noun}${value === 1 ? "" : "s"}`;
}
