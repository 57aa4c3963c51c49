/**
 * A deployed run, through its functions. The control function takes control events; the status function, if that one was
 * named, takes requests like those to its URL. Both are called directly, so that one permission is enough.
 */
import { UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { parseHistory } from "@firehose-backfill/status/history";
import { parseSummaries } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { ControlReply, ControlTarget } from "./control-target.ts";
import { CommandError } from "./errors.ts";
import type { InvokeFunction } from "./invoke-function.ts";
import { parsePlan } from "./parse-plan.ts";
import { parseResyncs } from "./parse-resyncs.ts";
import { parseSnapshot, parseSnapshots } from "./parse-snapshot.ts";

/** `name`: of the control or status function; the names of the other one and of the reader differ only at the end. */
export function functionTarget(options: { readonly name: string; readonly invoke: InvokeFunction }): ControlTarget {
  const { name, invoke } = options;
  const isStatus = name.endsWith("-status");
  const control = isStatus ? name.replace(/-status$/, "-control") : name;
  const status = isStatus ? name : name.replace(/-control$/, "-status");
  const reader = name.replace(/-(?:status|control)$/, "-reader");

  /** The control function says of all open runs at once how they are; `list` null: it did not. */
  const askStatus = async (run?: string) => {
    const of = run === undefined ? {} : { run };
    const answer = isStatus
      ? bodyOf(await invoke(name, pageRequest("/status.json", run)))
      : await invoke(control, { action: "status", ...of });
    if (field(answer, "isMalformed") === true) throw new UsageError(whatItSaid(answer));
    const snapshot = parseSnapshot(isStatus ? answer : field(answer, "snapshot"));
    if (snapshot === null)
      throw new CommandError(`function ${name} did not answer with a status: ${whatItSaid(answer)}`);
    const list = parseSnapshots(field(answer, "snapshots"));
    return { snapshot: list === null ? snapshot : { ...snapshot, openRuns: list.length }, list };
  };

  return {
    address: `function ${name}`,
    // The same event that the schedule sends, to the reader: the control function has no tick.
    send: async (event) =>
      event.action === "tick"
        ? tickedOf(reader, await invoke(reader, event))
        : replyOf(control, await invoke(control, event)),
    snapshot: async (run) => (await askStatus(run)).snapshot,
    async snapshots() {
      const { snapshot, list } = await askStatus();
      if (list !== null) return list;
      // Absent in the answer of a version that knows one run, too.
      if ((snapshot.openRuns ?? 1) < 2) return [snapshot];
      return parseSnapshots(bodyOf(await invoke(name, pageRequest("/runs.json")))) ?? [snapshot];
    },
    // The status function alone lists them.
    past: async () => parseSummaries(bodyOf(await invoke(status, pageRequest("/past.json")))) ?? [],
    // A function of an older version that stores no history answers with a text: no history.
    async history(run) {
      const of = run === undefined ? {} : { run };
      const answer = isStatus
        ? bodyOf(await invoke(name, pageRequest("/history.json", run)))
        : field(await invoke(control, { action: "status", history: true, ...of }), "history");
      return parseHistory(answer);
    },
  };
}

/** The parts of a function URL's event that the status function reads. */
function pageRequest(path: string, run?: string) {
  return {
    version: "2.0",
    rawPath: path,
    ...(run === undefined ? {} : { rawQueryString: `run=${encodeURIComponent(run)}` }),
    headers: { accept: "application/json" },
    requestContext: { http: { method: "GET", path } },
  };
}

function bodyOf(answer: unknown): unknown {
  const body = field(answer, "body");
  if (typeof body !== "string") return answer;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function replyOf(name: string, answer: unknown): ControlReply {
  const message = field(answer, "message");
  const ok = field(answer, "ok");
  if (typeof message !== "string" || typeof ok !== "boolean")
    throw new CommandError(`function ${name} did not answer like a control function: ${whatItSaid(answer)}`);
  const lines = message.split("\n").map((line) => escapeForLog(line));
  if (!ok) return { ok, error: lines.join("\n"), isMalformed: field(answer, "isMalformed") === true };
  const plan = parsePlan(field(answer, "plan"));
  const resyncs = parseResyncs(field(answer, "resyncs"));
  const more = { ...(plan === null ? {} : { plan }), ...(resyncs === null ? {} : { resyncs }) };
  return { ok, message: lines.join("\n"), ...more };
}

function tickedOf(name: string, answer: unknown): ControlReply {
  const message = field(answer, "message");
  if (typeof message === "string") return { ok: true, message: escapeForLog(message) };
  throw new CommandError(`function ${name} did not answer like a reader function: ${whatItSaid(answer)}`);
}

const MAX_SHOWN = 200;

function whatItSaid(answer: unknown): string {
  const message = field(answer, "message");
  return escapeForLog(typeof message === "string" ? message : (JSON.stringify(answer) ?? "nothing"), MAX_SHOWN);
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

/** Repeats the answer for a second: page, JSON and history ask at the same time. */
export function rememberSnapshot(
  target: Pick<ControlTarget, "snapshot">,
  now: () => number,
  forMs = 1_000,
): () => Promise<Snapshot> {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let last: Promise<Snapshot> | null = null;
  return () => {
    if (last !== null && now() - askedAtMs < forMs) return last;
    askedAtMs = now();
    last = target.snapshot();
    return last;
  };
}
