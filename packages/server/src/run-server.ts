/**
 * What `npm start` runs: the whole backfill in one process, on embedded stand-ins or on the real services. It claims the
 * data folder, starts what is not given, begins or resumes the run, and stops gracefully: batch in hand, cursor, exit.
 */
import { control as steer, type ControlDeps } from "@firehose-backfill/backfill/control";
import { parseControlEvent, type StartRequest } from "@firehose-backfill/backfill/control-event";
import type { CrashPoint, ReaderDeps } from "@firehose-backfill/backfill/deps";
import type { TickResult } from "@firehose-backfill/backfill/run-tick";
import type { Run } from "@firehose-backfill/checkpoint/run";
import { systemClock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import type { ResolveKey } from "@firehose-backfill/core/did-resolver";
import { ConfigError } from "@firehose-backfill/core/errors";
import { escapeForLog, throttlingConfigLines } from "@firehose-backfill/core/log-lines";
import { VERSION } from "@firehose-backfill/core/version";
import { claimDataDir } from "@firehose-backfill/embedded/data-dir";
import { openFirehoseReader } from "@firehose-backfill/firehose/reader";
import { seekCursor } from "@firehose-backfill/firehose/seek";
import { userAgent } from "@firehose-backfill/firehose/user-agent";
import { openDidClient } from "@firehose-backfill/repos/did-client";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { checkThrottleQuery, ThrottleQueryError } from "@firehose-backfill/sink/health";
import { openDeadEvents } from "@firehose-backfill/sink/redriven";
import { migrate } from "@firehose-backfill/sink/schema/migrate";
import { verifyConnection } from "@firehose-backfill/sink/verify-connection";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { limitTooLow } from "@firehose-backfill/throttle/memory-guard";
import { processMemoryGuard } from "@firehose-backfill/throttle/process-memory";
import { openAdapters } from "./adapters.ts";
import { beginRun } from "./begin-run.ts";
import { startHttpServer } from "./http-server.ts";
import { localPlace } from "./local-place.ts";
import { localConsumers } from "./local-consumers.ts";
import { planHere } from "./plan-here.ts";
import { startReaderLoop } from "./reader-loop.ts";
import { runEnd, type RunExit } from "./run-end.ts";
import { watchRun } from "./run-watch.ts";
import { keepSnapshots } from "./snapshot-keeper.ts";
import { snapshotCollector } from "./snapshot-collector.ts";
import { startStack } from "./start-stack.ts";
import { tidyUp } from "./tidy-up.ts";

export interface RunServerOptions {
  readonly config: Config;
  /** The configuration with a control event's settings on top. @throws ConfigError */
  readonly configure: (values: Readonly<Record<string, string>>) => Config;
  readonly untilDone: boolean;
  readonly consumers: "in-process" | "process";
  /** Given: begins with this instead of what the configuration says. */
  readonly start?: StartRequest;
  readonly onSnapshot: (snapshot: Snapshot, kind: "progress" | "final") => void;
  /** About once a second. */
  readonly onTick?: (snapshot: Snapshot) => void;
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
  const tooLow = limitTooLow(settings.maxMemoryMb, process.memoryUsage.rss());
  if (tooLow !== null) throw new ConfigError([tooLow]);

  await using claim = await claimDataDir(settings.dataDir);
  await using stack = await startStack(claim.dataDir, settings, options.stop);
  await prepareDatabase(stack.addresses.databaseUrl, settings.throttleQuery);
  await using adapters = openAdapters(stack.addresses, { clock, random });
  const { store, queue } = adapters;

  const controlDeps: ControlDeps = {
    store,
    queue,
    clock,
    random,
    configure: options.configure,
    limits: null,
    allowRelayFromEvent: false,
    readsAtOnce: true,
    openDeadEvents: () => openDeadEvents({ databaseUrl: stack.addresses.databaseUrl }),
    plan: (wanted, request) =>
      planHere({ config: wanted, request, sampleRelayUrl: stack.sampleRelayUrl, clock, random, signal: options.stop }),
  };
  const begun = await beginRun(controlDeps, { config, start: options.start ?? null, log });

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
  const collect = snapshotCollector({ adapters, clock, config, memory, consumers });
  const keeper = keepSnapshots({
    dataDir: claim.dataDir,
    clock,
    collect,
    log,
    onTick: options.onTick ?? (() => {}),
    onSnapshot: options.onSnapshot,
    signal: stopping,
  });

  const agent = userAgent({ version: VERSION, contact: settings.contact });
  using dids = openDidClient({ clock, random, userAgent: agent, resolveName: systemNames });
  const readerDeps: ReaderDeps = {
    clock,
    random,
    store,
    queue,
    openReader: openFirehoseReader,
    seekCursor,
    resolveKey: options.resolveKey ?? dids.resolveKey,
    memory,
    place: localPlace({ sampleRelayUrl: stack.sampleRelayUrl, userAgent: agent }),
    offPeak: settings.offPeak,
    limits: null,
    owner: `pid-${process.pid}`,
    log,
    ...(options.crashPoint === undefined ? {} : { crashPoint: options.crashPoint }),
  };
  const { promise: ended, resolve: end } = Promise.withResolvers<Pick<RunResult, "exit" | "message">>();
  let hasReachedHost = false;
  let tidying = Promise.resolve();
  const onTick = ({ run, endedBecause, read }: TickResult) => {
    hasReachedHost ||= read !== null && read.frames > 0;
    if (!hasReachedHost && endedBecause.startsWith("unreachable"))
      end({ exit: "errored", message: `relay ${endedBecause}` });
    // Told once: the tick after it finds no open run.
    if (run?.status === "succeeded")
      tidying = tidyUp({
        databaseUrl: stack.addresses.databaseUrl,
        deadLetters: async () => (await queue.figures()).deadLetters,
        clock,
        log,
        signal: options.stop,
      });
    const over = run === null ? null : runEnd(run, options.untilDone);
    if (over !== null) end(over);
  };
  const reader = startReaderLoop(readerDeps, { signal: stopping, onTick });

  await using page = await startHttpServer({
    port: settings.port,
    snapshot: () => keeper.fresh(),
    history: keeper.history,
    log,
    control: async (event) => {
      if (isTickEvent(event)) {
        reader.poke();
        return { message: "ticking now" };
      }
      const { message, plan } = await steer(controlDeps, parseControlEvent(event));
      if (plan !== undefined) return { message, plan };
      await watch.refresh();
      reader.poke();
      return { message };
    },
  });
  await claim.announce(page.port);
  announce(options, { run: begun.run, kind: begun.kind, url: page.url, isSample: stack.sampleRelayUrl !== null });

  if (begun.kind === "none" && options.untilDone) end({ exit: "done", message: "BACKFILL_DAYS is 0: nothing to run" });
  options.stop.addEventListener("abort", () => end({ exit: "stopped", message: null }), { once: true });
  void stack.exited.then((name) => end({ exit: "errored", message: `the embedded ${name} has stopped` }));
  const result = await ended;
  ending.abort();
  await Promise.all([reader.done, consumers.done, keeper.done, watch.done, tidying]);
  const snapshot = await keeper.finish();
  const message = result.message === null ? null : escapeForLog(result.message, MAX_LINE_CHARS);
  return { ...result, message, snapshot };
}

const MAX_LINE_CHARS = 4_000;

/** The page's button: only a process that has a schedule of its own can hurry it. */
function isTickEvent(event: unknown): boolean {
  return typeof event === "object" && event !== null && "action" in event && event.action === "tick";
}

/** Reached, of a version that will do, migrated, and the throttle query can work: before anything is planned. */
async function prepareDatabase(databaseUrl: string, throttleQuery: string | null): Promise<void> {
  await verifyConnection({ databaseUrl });
  await migrate({ databaseUrl });
  if (throttleQuery === null) return;
  try {
    await checkThrottleQuery({ databaseUrl, throttleQuery });
  } catch (error) {
    throw error instanceof ThrottleQueryError ? new ConfigError([error.message]) : error;
  }
}

function announce(
  options: RunServerOptions,
  what: { run: Run | null; kind: "new" | "resumed" | "none"; url: string; isSample: boolean },
): void {
  const { log } = options;
  for (const line of throttlingConfigLines(what.run?.throttle ?? options.config.settings)) log(line);
  if (what.isSample) log("[BACKFILL] No RELAY_URL: replaying the bundled sample relay");
  if (what.run === null) log("[BACKFILL] Nothing to run");
  else
    log(
      `[BACKFILL] Run ${what.run.runId} on ${what.run.host}: ${what.kind === "new" ? "new" : `goes on, ${what.run.status}`}`,
    );
  log(`[BACKFILL] Status page: ${what.url}`);
}
