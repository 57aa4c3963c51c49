/**
 * What `npm start` runs: the whole backfill in one process, on embedded stand-ins or on the real services. It claims the
 * data folder, starts what is not given, begins or resumes the run, and stops gracefully: batch in hand, cursor, exit.
 */
import { control as steer } from "@firehose-backfill/backfill/control";
import type { ControlDeps } from "@firehose-backfill/backfill/control-deps";
import { parseControlEvent, type StartRequest } from "@firehose-backfill/backfill/control-event";
import type { CrashPoint, ReaderDeps } from "@firehose-backfill/backfill/deps";
import { identityOf, prepareSink } from "@firehose-backfill/backfill/prepare-sink";
import type { Tick } from "@firehose-backfill/backfill/run-tick";
import { serveResyncs } from "@firehose-backfill/backfill/serve-resyncs";
import { tidyUp } from "@firehose-backfill/backfill/tidy-up";
import { systemClock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import type { ResolveKey } from "@firehose-backfill/core/did-resolver";
import { ConfigError } from "@firehose-backfill/core/errors";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { untilAborted } from "@firehose-backfill/core/until-aborted";
import { VERSION } from "@firehose-backfill/core/version";
import { claimDataDir } from "@firehose-backfill/embedded/data-dir";
import { userAgent } from "@firehose-backfill/firehose/user-agent";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { systemNames, systemTexts } from "@firehose-backfill/repos/http/system-names";
import { emptyHistory, type History } from "@firehose-backfill/status/history";
import { summaryOfRun } from "@firehose-backfill/status/run-summary";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { limitTooLow } from "@firehose-backfill/throttle/memory-guard";
import { limitBelowUse, processMemoryGuard } from "@firehose-backfill/throttle/process-memory";
import { bringsAccounts } from "@firehose-backfill/backfill/open-run";
import { openAdapters } from "./adapters.ts";
import { announce } from "./announce.ts";
import { auditAfterRun } from "./audit-after-run.ts";
import { beginRun, refuseUnwishedSample } from "./begin-run.ts";
import { checkedConfigure } from "./checked-configure.ts";
import { openPort } from "./http-server.ts";
import { openSink } from "./open-sink.ts";
import { openSources } from "./open-sources.ts";
import { localReaderTiming } from "./reader-timing.ts";
import { localConsumers } from "./local-consumers.ts";
import { planHere } from "./plan-here.ts";
import { startReaderLoop } from "./reader-loop.ts";
import { resyncsLeft, type RunExit } from "./run-end.ts";
import { watchRun } from "./run-watch.ts";
import { keepSnapshots, type SnapshotKeeper } from "./snapshot-keeper.ts";
import { historyFileOf, readHistory } from "./state-files.ts";
import { snapshotCollector } from "./snapshot-collector.ts";
import { readsRelay, startStack } from "./start-stack.ts";
import { tellWebhook } from "./tell-webhook.ts";
import { watchEnds } from "./watch-ends.ts";

export interface RunServerOptions {
  readonly config: Config;
  /** The configuration with a control event's settings on top. @throws ConfigError */
  readonly configure: (values: Readonly<Record<string, string>>) => Config;
  readonly untilDone: boolean;
  readonly consumers: "in-process" | "process";
  /** Given: begins with this instead of what the configuration says. */
  readonly start?: StartRequest;
  /** Given: goes on with the unfinished run, and begins none. */
  readonly resume?: { readonly from: string | null; readonly run?: string };
  readonly onSnapshot: (snapshot: Snapshot, kind: "progress" | "final") => void;
  /** About once a second. `all`: of each open run; the first argument stands for them all. */
  readonly onTick?: (snapshot: Snapshot, all?: readonly Snapshot[]) => void;
  readonly log: (line: string) => void;
  /** Finish the batch in hand, save, end. */
  readonly stop: AbortSignal;
  /** Left out: the PLC directory and the accounts' own hosts are asked, over https. */
  readonly resolveKey?: ResolveKey;
  /** For tests: the process dies where it says. */
  readonly crashPoint?: CrashPoint;
}

export interface RunResult {
  readonly exit: RunExit;
  readonly message: string | null;
  readonly snapshot: Snapshot | null;
}

/** @throws ConfigError, AlreadyRunningError, PortError, StandInError, SinkError: each with one clear message */
export async function runServer(options: RunServerOptions): Promise<RunResult> {
  const { config } = options;
  // Whatever is in a line, of the network or of a database's error: it is one line, and only text.
  const log = (line: string) => options.log(escapeForLog(line, MAX_LINE_CHARS));
  const { settings } = config;
  const clock = systemClock;
  const random = Math.random;
  const rssAtStart = process.memoryUsage.rss();
  const tooLow = limitTooLow(settings.maxMemoryMb, rssAtStart);
  if (tooLow !== null) throw new ConfigError([tooLow]);

  // Before anything is started for it.
  if (settings.databaseUrl !== null) openSink(settings.databaseUrl).checkAddress();

  await using claim = await claimDataDir(settings.dataDir);
  // Before anything is begun: a port that is taken must not leave a run behind.
  await using port = await openPort(settings.port);
  const wantedSource = options.start?.source ?? settings.source;
  await using stack = await startStack(
    claim.dataDir,
    { ...settings, readsRelay: readsRelay(wantedSource) },
    options.stop,
  );
  await using adapters = openAdapters(stack.addresses, { clock, random });
  const { store, queue } = adapters;
  const start = options.start ?? null;
  await untilAborted(refuseUnwishedSample({ store }, { config, start }), options.stop);
  // The only run that is open and about to be cancelled does not prevent the use of another database.
  const unfinished = await store.openRuns();
  const goesOn = start?.isNew === true && unfinished.length === 1 ? [] : unfinished;
  const { databaseUrl } = stack.addresses;
  await prepareSink(openSink(databaseUrl, { signal: options.stop }), { throttleQuery: settings.throttleQuery, goesOn });
  const sink = openSink(databaseUrl);

  const controlDeps: ControlDeps = {
    store,
    queue,
    clock,
    random,
    configure: checkedConfigure(options.configure, settings),
    limitProblem: limitBelowUse,
    limits: null,
    allowRelayFromEvent: false,
    readsAtOnce: true,
    openDeadEvents: () => sink.openDeadEvents(),
    database: () => identityOf(sink),
    plan: (wanted, request) =>
      planHere({ config: wanted, request, sampleRelayUrl: stack.sampleRelayUrl, clock, random, signal: options.stop }),
  };
  const how = { config, start, ...(options.resume === undefined ? {} : { resume: options.resume }), log };
  const begun = await untilAborted(beginRun(controlDeps, how), options.stop);
  const ofRun = limitTooLow(begun.run?.throttle.maxMemoryMb ?? settings.maxMemoryMb, rssAtStart);
  if (ofRun !== null && begun.kind === "resumed") throw new ConfigError([ofRun]);

  // Two signals: the reader stops first, so that nothing is planned any more while consumers finish what they hold.
  const ending = new AbortController();
  const stopping = AbortSignal.any([options.stop, ending.signal]);
  const watch = watchRun({ store, clock, signal: stopping, first: begun.run });
  const memory = processMemoryGuard(clock, () => watch.current()?.throttle.maxMemoryMb ?? settings.maxMemoryMb);
  const consumers = localConsumers({
    kind: options.consumers,
    adapters,
    addresses: stack.addresses,
    throttleQuery: settings.throttleQuery,
    poolSize: settings.dbPoolSize,
    clock,
    random,
    log,
    signal: stopping,
    currentRun: watch.current,
    crashPoint: options.crashPoint,
  });
  const collector = snapshotCollector({ adapters, clock, config, memory, consumers });
  const tell = tellWebhook(settings.notifyUrl, { store, clock, log });
  let telling = Promise.resolve();
  const past = async () => (await store.pastRuns({ limit: MOST_PAST_RUNS })).map(summaryOfRun);
  const keeper = keepSnapshots({
    dataDir: claim.dataDir,
    clock,
    collect: () => collector.all(),
    past,
    log,
    onTick: (snapshots) => {
      const shown = snapshots.at(-1);
      if (shown !== undefined) options.onTick?.(shown, snapshots);
      telling = tell(snapshots);
    },
    onSnapshot: options.onSnapshot,
    signal: stopping,
  });

  const agent = userAgent({ version: VERSION, contact: settings.contact });
  const strangers = { clock, random, userAgent: agent, resolveName: systemNames, plcUrl: settings.plcUrl };
  using dids = openDidClient(strangers);
  const { sampleRelayUrl } = stack;
  const resolveKey = options.resolveKey ?? dids.resolveKey;
  const readerDeps: ReaderDeps = {
    clock,
    random,
    store,
    queue,
    sources: openSources({
      ...strangers,
      hostRate: settings.hostRate,
      items: adapters.items,
      sampleRelayUrl,
      resolveKey,
      resolveTexts: systemTexts,
      listHandles: (after, limit) => sink.openHandleList().next(after, limit),
      hasOthers: (runId) => bringsAccounts(store, runId),
    }),
    memory,
    timing: localReaderTiming({ isSample: sampleRelayUrl !== null }),
    offPeak: settings.offPeak,
    limits: null,
    resyncs: serveResyncs({ config, everyMs: LOOK_FOR_RESYNCS_MS }),
    owner: `pid-${process.pid}`,
    log,
    ...(options.crashPoint === undefined ? {} : { crashPoint: options.crashPoint }),
  };
  const { promise: ended, resolve: end } = Promise.withResolvers<Pick<RunResult, "exit" | "message">>();
  let tidying = Promise.resolve();
  const watchTick = watchEnds({
    untilDone: options.untilDone,
    end,
    tidy: () => {
      tidying = tidyUp({
        tidying: sink.tidying,
        atMostMs: TIDY_AT_MOST_MS,
        deadLetters: async () => (await queue.figures()).deadLetters,
        clock,
        log,
        signal: options.stop,
      }).then(() => auditAfterRun({ settings, store, sink, clock, random, log, signal: options.stop }));
    },
  });
  const onTick = (tick: Tick): void => {
    watchTick(tick);
    // Requests for resyncs are served also where there is nothing else to do. Of two ends the first one counts.
    if (begun.kind === "none" && options.untilDone && tick.runs.length === 0)
      end({ exit: "done", message: begun.because });
  };
  const reader = startReaderLoop(readerDeps, { signal: stopping, onTick });

  await using page = port.serve({
    snapshot: async () => lastOf(await keeper.fresh()),
    history: () => keeper.history(),
    runs: {
      all: () => keeper.fresh(),
      past,
      find: async (wanted) => {
        const run = await store.findRun(wanted);
        return run === null
          ? null
          : { snapshot: await collector.of(run.runId), history: await historyOf(claim.dataDir, keeper, run.runId) };
      },
    },
    log,
    openDeadEvents: () => sink.openDeadEvents(),
    control: async (event, by) => {
      if (isTickEvent(event)) {
        reader.poke();
        return { message: "ticking now" };
      }
      const { message, plan, resyncs } = await steer(controlDeps, parseControlEvent(event), by);
      if (plan !== undefined) return { message, plan };
      if (resyncs !== undefined) return { message, resyncs };
      await watch.refresh();
      reader.poke();
      return { message };
    },
  });
  await claim.announce(page.port);
  announce({ config, begun, url: page.url, isSample: stack.sampleRelayUrl !== null, log: options.log });

  const onStop = () => end({ exit: "stopped", message: null });
  options.stop.addEventListener("abort", onStop, { once: true });
  // A signal that came before this line has no listener.
  if (options.stop.aborted) onStop();
  void stack.exited.then((name) => end({ exit: "errored", message: `the embedded ${name} has stopped` }));
  const result = await ended;
  ending.abort();
  await Promise.all([reader.done, consumers.done, keeper.done, watch.done, tidying]);
  const snapshot = await keeper.finish();
  const left = resyncsLeft(snapshot);
  if (left !== null) log(left);
  await telling;
  await tell([snapshot]);
  const message = result.message === null ? null : escapeForLog(result.message, MAX_LINE_CHARS);
  return { ...result, message, snapshot };
}

const MAX_LINE_CHARS = 4_000;
const LOOK_FOR_RESYNCS_MS = 5_000;
const MOST_PAST_RUNS = 50;
/** `--until-done` waits for it. */
const TIDY_AT_MOST_MS = 20_000;

function lastOf(snapshots: readonly Snapshot[]): Snapshot {
  const last = snapshots.at(-1);
  if (last === undefined) throw new Error("there is no snapshot to show");
  return last;
}

/** Of a run that this process has not worked on: what another one left of it in the data folder. */
async function historyOf(dataDir: string, keeper: SnapshotKeeper, runId: string): Promise<History> {
  const known = keeper.history(runId);
  return known.runId === runId ? known : ((await readHistory(dataDir, historyFileOf(runId))) ?? emptyHistory(runId));
}

/** The page's button: only a process that has a schedule of its own can hurry it. */
function isTickEvent(event: unknown): boolean {
  return typeof event === "object" && event !== null && "action" in event && event.action === "tick";
}
