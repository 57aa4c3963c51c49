/** `audit`: proves that the copy is what the accounts have signed, or says what differs. */
import type { AuditedRepos, AuditProgress } from "@firehose-backfill/audit/audit-copy";
import { renderAudit } from "@firehose-backfill/audit/render-audit";
import { noteOfReport } from "@firehose-backfill/audit/note";
import type { AuditReport, RepoVerdict } from "@firehose-backfill/audit/report";
import { MOST_COLLECTIONS_OF_RESYNC, MOST_RESYNCS } from "@firehose-backfill/backfill/control-event";
import { includesLevel } from "@firehose-backfill/core/config/settings";
import { describeError, UsageError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { isDid } from "@firehose-backfill/core/syntax";
import type { Args, Command } from "../command.ts";
import type { CliContext } from "../context.ts";
import { EXIT, exitCodeOfSignal } from "../exit-code.ts";
import { findTarget } from "../find-target.ts";
import { loadConfig } from "../load-config.ts";
import { requestResyncs } from "../request-resyncs.ts";
import { listOf } from "../start-request.ts";
import { listenForStop } from "../stop-signals.ts";

export const audit: Command = {
  name: "audit",
  summary:
    "Compare the copy with the signed repositories and say what differs; with --repair, what differs is read anew.",
  details: [
    "For each repository it fetches the signed commit from the account's host, computes the root of the tree from the rows of the",
    "copy, and compares the two. Where they differ it fetches the nodes that lead to the differences. It reads the database:",
    "DATABASE_URL, or the embedded one of BACKFILL_DATA_DIR, also while a run goes on. Exit code 0: no repository differs; 3: some",
    "differ or are behind; 1: none could be compared. The result is kept: status, page and report show the last audit.",
    "A copy that a relay filled lacks older records, so nearly all of its repositories differ: docs/audit.md says what to look at.",
  ].join("\n"),
  noRun: "it compares the copy, which all runs write together. For one run: status --run",
  options: {
    all: { help: "All repositories of the copy." },
    sample: { takes: "N", help: "N repositories of the copy at random, and how many of all may differ at most." },
    dids: { takes: "LIST", help: "These repositories: DIDs, separated by commas, or @FILE." },
    collections: {
      takes: "LIST",
      help: "Compare only these collections, separated by commas, or @FILE; default BACKFILL_COLLECTIONS.",
    },
    after: { takes: "DID", help: "Continue an audit that was stopped: only the DIDs above this one." },
    repair: {
      help: "Request that the repositories that differ are read anew; those that are behind, too, if BACKFILL_VERIFY is below chain.",
    },
    json: { help: "One line of JSON." },
    function: {
      takes: "NAME",
      help: "The deployed control function that gets the result and the requests; default: this machine's process or data folder.",
    },
  },
  examples: [
    { line: "audit --all", does: "Each repository; Ctrl-C shows what was found, and how to continue." },
    { line: "audit --sample 400 --json | jq .confidence.differing.share", does: "The share that differs at most." },
    {
      line: "audit --dids did:plc:ewvi7nxzyoun6zhxrhs64oiz --collections app.bsky.feed.post",
      does: "One account's posts.",
    },
    {
      line: "audit --all --repair",
      does: "A run called resync then reads these repositories anew; resyncs lists them.",
    },
  ],
  run: async (context, args) => {
    const repositories = repositoriesOf(context, args);
    const after = afterOf(args, repositories);
    const collections = listOf(context, args, "collections", "audit");
    const repair = repairOf(context, args, collections);
    const { clock, stderr } = context;
    const say = (line: string) => stderr.write(`${escapeForLog(line, MAX_LINE)}\n`);
    using signals = listenForStop(context, (signal) =>
      say(`audit: ${signal}: stopping. What was found until now follows. A second signal stops at once.`),
    );
    const { config } = loadConfig(context);
    const { auditHere } = await context.loadAuditor();
    let database: string | null = null;
    const report = await auditHere({
      config,
      repositories,
      collections: collections ?? config.settings.collections,
      after,
      clock,
      random: Math.random,
      onProgress: progressOf(context, say),
      onDatabase: (id) => {
        database = id;
      },
      ...(repair === null ? {} : { onVerdict: (verdict) => repair.note(verdict) }),
      onWaiting: (because) => say(`audit: waiting until production is well: ${because}`),
      signal: signals.stop,
    });
    const text = args.flag("json") ? JSON.stringify(report) : renderAudit(report).join("\n");
    context.stdout.write(`${text}\n`);
    await keepResult(context, args, { report, database, say });
    // After the report: what was found is not lost where no request can be placed.
    for (const line of (await repair?.request()) ?? []) say(`audit: ${line}`);
    const signal = signals.received();
    if (signal !== null && !report.isComplete) return exitCodeOfSignal(signal);
    return report.audited === 0 && after === null ? EXIT.error : exitCodeOf(report);
  },
};

/** An audit is as good if its result cannot be kept. */
async function keepResult(
  context: CliContext,
  args: Args,
  {
    report,
    database,
    say,
  }: { readonly report: AuditReport; readonly database: string | null; readonly say: (line: string) => void },
): Promise<void> {
  const note = noteOfReport(report, { atMs: context.clock.now(), by: "command" });
  if (note === null || database === null) return;
  try {
    const target = await findTarget(context, args);
    if (target === null) {
      const { config } = loadConfig(context);
      const { keepAuditHere } = await context.loadAuditKeeper();
      await keepAuditHere({ settings: config.settings, audit: note, database, signal: new AbortController().signal });
      return;
    }
    const reply = await target.send({ action: "audited", audit: note, database });
    if (!reply.ok) say(`audit: ${target.address} did not keep the result: ${reply.error}`);
  } catch (error) {
    say(`audit: the result could not be kept: ${describeError(error)}`);
  }
}

interface Repair {
  note(verdict: RepoVerdict): void;
  /** What was requested, for a person. @throws CommandError, UsageError */
  request(): Promise<readonly string[]>;
}

/** null: nothing is to be repaired. @throws UsageError */
function repairOf(context: CliContext, args: Args, collections: readonly string[] | undefined): Repair | null {
  if (!args.flag("repair")) return null;
  if ((collections?.length ?? 0) > MOST_COLLECTIONS_OF_RESYNC)
    throw new UsageError(`audit: --repair takes at most ${MOST_COLLECTIONS_OF_RESYNC} collections`);
  // From this level on the next commit of a repository shows what is missing, and requests it.
  const isBehindCovered = includesLevel(loadConfig(context).config.settings.verify, "chain");
  const dids: string[] = [];
  let behind = 0;
  let tooMany = 0;
  let unreachable = 0;
  let compared = 0;
  return {
    note({ did, verdict }) {
      if (verdict === "behind") behind += 1;
      if (verdict === "unreachable") unreachable += 1;
      else if (verdict !== "inactive") compared += 1;
      if (verdict !== "differing" && (verdict !== "behind" || isBehindCovered)) return;
      if (dids.length < MOST_RESYNCS) dids.push(did);
      else tooMany += 1;
    },
    async request() {
      const left = isBehindCovered && behind > 0;
      return [
        ...(dids.length === 0
          ? [`${nothingToRepair(compared, unreachable)}, so nothing was requested`]
          : await requestResyncs(context, args, { dids, collections, reason: "audit" })),
        ...(left
          ? [
              `${behind} behind: their next commits show what is missing (BACKFILL_VERIFY from chain on), so nothing was requested for them`,
            ]
          : []),
        ...(tooMany === 0
          ? []
          : [`${tooMany} more differ than can be requested at once: repeat the audit when resyncs lists none`]),
      ];
    },
  };
}

function nothingToRepair(compared: number, unreachable: number): string {
  if (unreachable === 0) return "nothing differs";
  return compared === 0 ? "no repository could be compared" : "nothing that could be compared differs";
}

const MAX_LINE = 1_000;
const MOST_SAMPLED = 1_000_000;
const SAY_EVERY_MS = 10_000;

/** @throws UsageError */
function repositoriesOf(context: CliContext, args: Args): AuditedRepos {
  const dids = listOf(context, args, "dids", "audit");
  const sample = args.text("sample");
  const given = [dids !== undefined, sample !== undefined, args.flag("all")].filter(Boolean).length;
  if (given !== 1)
    throw new UsageError(
      "audit: say which repositories, with one of --all, --sample N and --dids LIST\nSee: firehose-backfill audit --help",
    );
  if (dids !== undefined) return { kind: "named", dids };
  if (sample === undefined) return { kind: "all" };
  const size = /^[1-9]\d{0,6}$/.test(sample) ? Number(sample) : Number.NaN;
  if (size <= MOST_SAMPLED) return { kind: "sample", size };
  throw new UsageError(
    `audit: --sample is "${escapeForLog(sample, 80)}"; it takes a whole number from 1 to ${MOST_SAMPLED}`,
  );
}

/** @throws UsageError */
function afterOf(args: Args, { kind }: AuditedRepos): string | null {
  const after = args.text("after");
  if (after === undefined) return null;
  if (kind === "sample") throw new UsageError("audit: --after continues --all or --dids; each sample is another one");
  const bytes = Buffer.from(after);
  if (!isDid(bytes, 0, bytes.length))
    throw new UsageError(`audit: --after is "${escapeForLog(after, 80)}"; it takes a DID`);
  return after;
}

function progressOf({ clock }: CliContext, say: (line: string) => void): (progress: AuditProgress) => void {
  let saidAtMs = clock.now();
  return ({ counts, audited, deferred, of }) => {
    const nowMs = clock.now();
    if (nowMs - saidAtMs < SAY_EVERY_MS) return;
    saidAtMs = nowMs;
    const { equal, behind, differing, unreachable, inactive } = counts;
    const again = deferred === 0 ? "" : `, ${deferred} to ask again`;
    say(
      `audit: ${audited}${of === null ? "" : ` of ${of}`} audited: ${equal} equal, ${behind} behind, ${differing} differing, ` +
        `${unreachable} unreachable, ${inactive} inactive${again}`,
    );
  };
}

function exitCodeOf({ equal, behind, differing, unreachable }: AuditReport): number {
  if (behind + differing > 0) return EXIT.differs;
  return equal === 0 && unreachable > 0 ? EXIT.error : EXIT.ok;
}
