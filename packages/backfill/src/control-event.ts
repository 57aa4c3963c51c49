/**
 * The one language of control: the Lambda console's Test button, the CLI and the page send the same events.
 * An event that is not understood says what is wrong and what would be right, and changes nothing.
 */
import { MAX_RESYNCS } from "@firehose-backfill/checkpoint/resync-store";
import { RESYNC_RUN } from "@firehose-backfill/checkpoint/run";
import { type AuditNote, parseAuditNote } from "@firehose-backfill/core/audit-note";
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { isDid } from "@firehose-backfill/core/syntax";

export const CONTROL_ACTIONS = [
  "start",
  "status",
  "pause",
  "resume",
  "cancel",
  "plan",
  "redrive",
  "discard",
  "resync",
  "resyncs",
  "tune",
  "audited",
] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

/** Texts as the operator wrote them. start-config.ts and parse-range.ts parse them against settings and clock. */
export interface StartRequest {
  readonly days?: string;
  readonly from?: string;
  readonly to?: string;
  readonly profile?: string;
  readonly collections?: readonly string[];
  readonly dids?: readonly string[];
  readonly relay?: string;
  /** BACKFILL_SOURCE. */
  readonly source?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What people will call the run. */
  readonly name?: string;
  /** With `isNew`: the run that is cancelled, by its id or its name, where several are open. */
  readonly run?: string;
  /** Cancels the run that is going on, if there is one. */
  readonly isNew: boolean;
  readonly isDryRun: boolean;
}

export type ControlEvent =
  | { readonly action: "start"; readonly start: StartRequest }
  /** `id`: of one dead event; `reason`: dead events with this one; `run`: only what is dead of this one; none of them: all that is dead. */
  | { readonly action: "redrive"; readonly id?: string; readonly reason?: string; readonly run?: string }
  | { readonly action: "discard"; readonly which: DiscardWhich }
  /** Requests that these repositories are read anew. */
  | { readonly action: "resync"; readonly resync: ResyncEvent }
  /** Lists such requests. */
  | { readonly action: "resyncs" }
  | { readonly action: "cancel"; readonly run?: string }
  /** `withHistory`: the course of the run as well, for plots. */
  | { readonly action: "status"; readonly withHistory: boolean; readonly run?: string }
  | { readonly action: "plan"; readonly start: StartRequest }
  | { readonly action: "pause"; readonly isNow: boolean; readonly run?: string }
  | { readonly action: "resume"; readonly from: string | null; readonly run?: string }
  /** An audit was made elsewhere, of the database with this id: its result is to be kept. */
  | { readonly action: "audited"; readonly audit: AuditNote; readonly database: string }
  /** `run`: any run of the pace that is meant; left out: there is one pace. */
  | { readonly action: "tune"; readonly settings: Readonly<Record<string, unknown>>; readonly run?: string };

export interface ResyncEvent {
  readonly dids: readonly string[];
  /** Left out: those of the last run. */
  readonly collections?: readonly string[];
  readonly reason: "audit" | "operator";
}

/** One dead event, those of a reason, or all; `run`: of this run alone. */
export type DiscardWhich =
  | { readonly id: string }
  | { readonly reason: string; readonly run?: string }
  | { readonly all: true; readonly run?: string };

const EXAMPLE = '{ "action": "start", "days": 3, "profile": "moderate", "collections": ["app.bsky.feed.post"] }';

const START_KEYS = [
  "days",
  "from",
  "to",
  "profile",
  "collections",
  "dids",
  "relay",
  "source",
  "settings",
  "new",
  "dryRun",
];
const KEYS: Readonly<Record<ControlAction, readonly string[]>> = {
  start: [...START_KEYS, "name", "run"],
  plan: START_KEYS,
  status: ["history", "run"],
  cancel: ["run"],
  redrive: ["id", "reason", "run"],
  discard: ["id", "reason", "all", "run"],
  resync: ["dids", "collections", "reason"],
  resyncs: [],
  pause: ["now", "run"],
  resume: ["from", "run"],
  tune: ["settings", "run"],
  audited: ["audit", "database"],
};

/** @throws UsageError that names the key, what it held and what it takes. */
export function parseControlEvent(event: unknown): ControlEvent {
  if (!isObject(event)) throw new UsageError(`The event must be a JSON object with an action, for example ${EXAMPLE}`);
  const action = CONTROL_ACTIONS.find((known) => known === event["action"]);
  if (action === undefined)
    throw new UsageError(
      `action is ${show(event["action"])}; it takes one of ${CONTROL_ACTIONS.join(", ")}. Example: ${EXAMPLE}`,
    );
  const unknown = Object.keys(event).filter((key) => key !== "action" && !KEYS[action].includes(key));
  if (unknown.length > 0)
    throw new UsageError(`${action} does not take ${unknown.map(show).join(", ")}; it takes ${list(KEYS[action])}`);

  const named = text(event, "run");
  const run = named === undefined ? {} : { run: named };
  switch (action) {
    case "start":
    case "plan":
      return { action, start: parseStart(event) };
    case "status":
      return { action, withHistory: flag(event, "history"), ...run };
    case "cancel":
      return { action, ...run };
    case "redrive": {
      const id = deadId(event, action);
      const reason = text(event, "reason");
      if (id !== undefined && reason !== undefined)
        throw new UsageError("redrive takes id or reason: an id names one dead event already");
      return {
        action,
        ...(id === undefined ? {} : { id }),
        ...(reason === undefined ? {} : { reason }),
        ...run,
      };
    }
    case "discard":
      return { action, which: discardWhich(event, run) };
    case "resync":
      return { action, resync: parseResync(event) };
    case "resyncs":
      return { action };
    case "pause":
      return { action, isNow: flag(event, "now"), ...run };
    case "resume":
      return { action, from: text(event, "from") ?? null, ...run };
    case "tune": {
      const settings = object(event, "settings");
      if (settings === undefined || Object.keys(settings).length === 0)
        throw new UsageError(
          'tune takes settings, for example { "action": "tune", "settings": { "BACKFILL_BATCH_DELAY_MS": 4000 } }',
        );
      return { action, settings, ...run };
    }
    case "audited": {
      const audit = parseAuditNote(event["audit"]);
      const database = text(event, "database");
      if (audit === null || database === undefined)
        throw new UsageError(
          "audited takes the result of an audit and the id of its database; the command audit sends it",
        );
      return { action, audit, database };
    }
    default: {
      const unreachable: never = action;
      return unreachable;
    }
  }
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

function deadId(event: Record<string, unknown>, action: string): string | undefined {
  const id = text(event, "id")?.toLowerCase();
  if (id === undefined || UUID.test(id)) return id;
  throw new UsageError(`${action}: id is ${show(id)}; it takes the id of a dead event, as the command dead shows it`);
}

function discardWhich(event: Record<string, unknown>, run: { readonly run?: string }): DiscardWhich {
  const id = deadId(event, "discard");
  const reason = text(event, "reason");
  const all = flag(event, "all");
  if ([id !== undefined, reason !== undefined, all].filter(Boolean).length !== 1)
    throw new UsageError(
      'discard takes one of id, reason and all, for example { "action": "discard", "reason": "bad-frame" }',
    );
  if (id === undefined) return reason === undefined ? { all: true, ...run } : { reason, ...run };
  if (run.run === undefined) return { id };
  throw new UsageError("discard takes run with reason or all: an id names one dead event already");
}

/** As many as are stored. */
export const MOST_RESYNCS = MAX_RESYNCS;
/** In one event. */
export const MOST_RESYNCS_AT_ONCE = 1_000;
export const MOST_COLLECTIONS_OF_RESYNC = 50;

function parseResync(event: Record<string, unknown>): ResyncEvent {
  const dids = texts(event, "dids") ?? [];
  const collections = texts(event, "collections");
  const reason = text(event, "reason") ?? "operator";
  if (dids.length < 1 || dids.length > MOST_RESYNCS_AT_ONCE)
    throw new UsageError(
      `resync takes 1 to ${MOST_RESYNCS_AT_ONCE} dids, for example { "action": "resync", "dids": ["did:plc:ewvi7nxzyoun6zhxrhs64oiz"] }`,
    );
  const wrong = dids.find((did) => !isWholeDid(did));
  if (wrong !== undefined) throw new UsageError(`dids holds ${show(wrong)}, which is no DID`);
  if ((collections?.length ?? 0) > MOST_COLLECTIONS_OF_RESYNC)
    throw new UsageError(
      `resync takes at most ${MOST_COLLECTIONS_OF_RESYNC} collections; leave them out for those of the run`,
    );
  if (reason !== "operator" && reason !== "audit")
    throw new UsageError(`reason is ${show(reason)}; it takes operator or audit`);
  return { dids, reason, ...(collections === undefined ? {} : { collections }) };
}

function isWholeDid(did: string): boolean {
  const bytes = Buffer.from(did);
  return isDid(bytes, 0, bytes.length);
}

function parseStart(event: Record<string, unknown>): StartRequest {
  const days = text(event, "days");
  const from = text(event, "from");
  const to = text(event, "to");
  const profile = text(event, "profile");
  const collections = texts(event, "collections");
  const dids = texts(event, "dids");
  const relay = text(event, "relay");
  const source = text(event, "source");
  const settings = object(event, "settings");
  const name = text(event, "name");
  const run = text(event, "run");
  if (name !== undefined) refuseName(name);
  if (days !== undefined && from !== undefined)
    throw new UsageError("days and from both say where to start: give one of them");
  return {
    ...(days === undefined ? {} : { days }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(profile === undefined ? {} : { profile }),
    ...(collections === undefined ? {} : { collections }),
    ...(dids === undefined ? {} : { dids }),
    ...(relay === undefined ? {} : { relay }),
    ...(source === undefined ? {} : { source }),
    ...(settings === undefined ? {} : { settings }),
    ...(name === undefined ? {} : { name }),
    ...(run === undefined ? {} : { run }),
    isNew: flag(event, "new"),
    isDryRun: flag(event, "dryRun"),
  };
}

const NAME = /^[a-z0-9-]{1,40}$/;
const RUN_ID = /^\d{8}-\d{6}-[a-z0-9]{4}$/;

export function isName(word: string): boolean {
  return NAME.test(word) && !RUN_ID.test(word);
}

export function isRunId(word: string): boolean {
  return RUN_ID.test(word);
}

/** @throws UsageError */
export function refuseName(name: string): void {
  if (!NAME.test(name))
    throw new UsageError(`name is ${show(name)}; it takes 1 to 40 of the characters a-z, 0-9 and -`);
  if (name === RESYNC_RUN)
    throw new UsageError(`name is ${show(name)}, which is the name of the run that serves resyncs: choose another`);
  if (RUN_ID.test(name))
    throw new UsageError(`name is ${show(name)}, which looks like the id of a run: choose another`);
}

function text(event: Record<string, unknown>, key: string): string | undefined {
  const value = event[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new UsageError(`${key} is ${show(value)}; it takes a text or a number`);
}

function texts(event: Record<string, unknown>, key: string): readonly string[] | undefined {
  const value = event[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value.split(",").map((part) => part.trim());
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new UsageError(`${key} is ${show(value)}; it takes a list of texts`);
}

function flag(event: Record<string, unknown>, key: string): boolean {
  const value = event[key];
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw new UsageError(`${key} is ${show(value)}; it takes true or false`);
}

function object(event: Record<string, unknown>, key: string): Readonly<Record<string, unknown>> | undefined {
  const value = event[key];
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) return value;
  throw new UsageError(`${key} is ${show(value)}; it takes an object of settings`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? "missing" : escapeForLog(JSON.stringify(value) ?? typeof value, 80);
}

function list(keys: readonly string[]): string {
  return keys.length === 0 ? "nothing else" : keys.join(", ");
}
