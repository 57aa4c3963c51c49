/**
 * What is kept of an audit: the counts, what a sample says of the whole, and the first repositories that are not equal. It is bounded, whatever
 * the audit found. Page, text, report and metrics show it.
 */
import { cutText } from "./cut-text.ts";

export interface AuditNote {
  /** When it ended. */
  readonly atMs: number;
  readonly by: AuditedBy;
  readonly repos: AuditedWhich;
  /** Compared were these alone, the first twenty; null: all. */
  readonly collections: readonly string[] | null;
  readonly equal: number;
  readonly behind: number;
  readonly differing: number;
  readonly unreachable: number;
  readonly inactive: number;
  /** Records of the repositories that differ or are behind, as far as they were listed. */
  readonly records: RecordCounts;
  /** null: it was no random sample. */
  readonly confidence: AuditConfidence | null;
  /** The first that are not equal, those that differ before the others. */
  readonly first: readonly NotEqual[];
}

/** `a run`: BACKFILL_AUDIT_SAMPLE, after a run that succeeded. */
const BY = ["command", "a run"] as const;
export type AuditedBy = (typeof BY)[number];

const WHICH = ["all", "sample", "named"] as const;
export type AuditedWhich = (typeof WHICH)[number];

export interface RecordCounts {
  /** The repository has them, and the copy does not. */
  readonly missing: number;
  /** The opposite. */
  readonly extra: number;
  /** They have another CID. */
  readonly other: number;
}

export interface AuditConfidence {
  /** 0.95: of twenty samples, one at most says too little. */
  readonly level: number;
  /** Repositories of the copy. */
  readonly of: number;
  /** Counted, not estimated. */
  readonly isExact: boolean;
  /** Those that could be compared. */
  readonly sampled: number;
  readonly differing: AtMost;
  /** Those behind included. */
  readonly notEqual: AtMost;
}

export interface AtMost {
  readonly found: number;
  /** Of all repositories, at most so many, and which share of them that is. */
  readonly atMost: number;
  readonly share: number;
}

export interface NotEqual extends RecordCounts {
  readonly did: string;
  readonly verdict: string;
  /** null: the verdict says it all. */
  readonly reason: string | null;
}

/** The pace of an audit: on average a page of the table each, so that no disk is busy with it. */
export const AUDITED_ROWS_PER_SECOND = 5_000;

export const MOST_NOT_EQUAL = 20;
const MOST_COLLECTIONS = 20;
const MOST_CHARS = 300;

/** Cut to what is kept. */
export function boundAuditNote(note: AuditNote): AuditNote {
  return {
    ...note,
    collections: note.collections?.slice(0, MOST_COLLECTIONS).map(short) ?? null,
    first: note.first.slice(0, MOST_NOT_EQUAL).map((repo) => ({
      ...repo,
      did: short(repo.did),
      verdict: short(repo.verdict),
      reason: repo.reason === null ? null : short(repo.reason),
    })),
  };
}

/** null: it is none. From another process, or from a table that an older version wrote. */
export function parseAuditNote(value: unknown): AuditNote | null {
  if (!isObject(value)) return null;
  const { by, repos, collections, records, confidence, first } = value;
  const knownBy = BY.find((known) => known === by);
  const knownWhich = WHICH.find((known) => known === repos);
  const counts = countsOf(value, ["atMs", "equal", "behind", "differing", "unreachable", "inactive"]);
  const ofRecords = isObject(records) ? countsOf(records, RECORD_KEYS) : null;
  const sample = confidence === null ? null : confidenceOf(confidence);
  if (knownBy === undefined || knownWhich === undefined || counts === null || ofRecords === null) return null;
  if (sample === undefined || !Array.isArray(first)) return null;
  if (collections !== null && !(Array.isArray(collections) && collections.every(isText))) return null;
  const repositories = first.slice(0, MOST_NOT_EQUAL).map(notEqualOf);
  if (!repositories.every((repo) => repo !== null)) return null;
  return boundAuditNote({
    ...counts,
    by: knownBy,
    repos: knownWhich,
    collections: collections === null ? null : collections.filter(isText),
    records: ofRecords,
    confidence: sample,
    first: repositories,
  });
}

const RECORD_KEYS = ["missing", "extra", "other"] as const;

function confidenceOf(value: unknown): AuditConfidence | undefined {
  if (!isObject(value)) return undefined;
  const { isExact } = value;
  const counts = countsOf(value, ["level", "of", "sampled"]);
  const differing = atMostOf(value["differing"]);
  const notEqual = atMostOf(value["notEqual"]);
  if (counts === null || typeof isExact !== "boolean" || differing === null || notEqual === null) return undefined;
  return { ...counts, isExact, differing, notEqual };
}

function atMostOf(value: unknown): AtMost | null {
  return isObject(value) ? countsOf(value, ["found", "atMost", "share"]) : null;
}

function notEqualOf(value: unknown): NotEqual | null {
  if (!isObject(value)) return null;
  const { did, verdict, reason } = value;
  const counts = countsOf(value, RECORD_KEYS);
  if (counts === null || !isText(did) || !isText(verdict) || (reason !== null && !isText(reason))) return null;
  return { did, verdict, reason, ...counts };
}

/** Those keys, each a number of 0 or more; null: one is not. */
function countsOf<K extends string>(
  value: Readonly<Record<string, unknown>>,
  keys: readonly K[],
): Record<K, number> | null {
  const pairs = keys.map((key) => [key, value[key]] as const);
  if (!pairs.every(([, count]) => typeof count === "number" && Number.isFinite(count) && count >= 0)) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each key was looked at in the line before
  return Object.fromEntries(pairs) as Record<K, number>;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function short(text: string): string {
  return cutText(text, MOST_CHARS);
}
