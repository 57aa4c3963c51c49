/**
 * Socket to rows through the whole stack, unthrottled: the program itself, its embedded stand-ins, recorded frames repeated
 * under new accounts. Time counts from the first planned event to the last applied one, as the run's own snapshot says.
 */
import { readFileSync } from "node:fs";
import { resealedLog } from "@firehose-backfill/embedded/relay-reseal";
import { startReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { pdsFrames } from "../test/support/recordings.ts";
import { runBackfill } from "./backfill-process.ts";
import type { Benchmark } from "./main.ts";
import { processTree } from "./process-tree.ts";

const DEFAULTS = { copies: 12, batch: 500, concurrent: 4 };
const SAMPLE_EVERY_MS = 250;

export const pipeline: Benchmark = {
  summary: "events/s from relay socket to rows, unthrottled [--copies N] [--batch N] [--concurrent N]",
  async run(args) {
    const options = { ...DEFAULTS, ...numbers(args) };
    const log = resealedLog({
      frames: pdsFrames(),
      copies: options.copies,
      seed: "bench",
      firstTimeMs: Date.now() - 86_400_000,
    });
    await using relay = await startReplayRelay({ frames: log });
    console.error(`${log.frames} frames, ${log.events} events; batch ${options.batch}, ${options.concurrent} at once`);
    const usage = new Map<string, { rssMb: number; cpuSeconds: number }>();
    let sampling: NodeJS.Timeout | undefined;
    const { final, code, stderr } = await runBackfill({
      args: ["start", "--from", "oldest", "--to", String(log.headSeq), "--until-done", "--json"],
      env: {
        RELAY_URL: relay.url,
        BACKFILL_BATCH_SIZE: String(options.batch),
        BACKFILL_BATCH_DELAY_MS: "0",
        BACKFILL_MAX_CONCURRENT: String(options.concurrent),
        BACKFILL_DB_POOL_SIZE: String(options.concurrent),
        BACKFILL_MAX_MEMORY_MB: "2048",
        BACKFILL_USE_IDLE: "false",
      },
      onStarted: ({ pid }) => {
        sampling = setInterval(() => {
          for (const { name, rssMb, cpuSeconds } of processTree(pid)) {
            const before = usage.get(name);
            usage.set(name, {
              rssMb: Math.max(before?.rssMb ?? 0, rssMb),
              cpuSeconds: Math.max(before?.cpuSeconds ?? 0, cpuSeconds),
            });
          }
        }, SAMPLE_EVERY_MS);
      },
    });
    clearInterval(sampling);
    if (code !== 0) throw new Error(`the run ended with ${code}:\n${stderr}`);
    const elapsedSeconds = Number(final["elapsedSeconds"]);
    return {
      ...options,
      events: final["processed"],
      frames: log.frames,
      seconds: elapsedSeconds,
      eventsPerSecond: Math.round(Number(final["processed"]) / elapsedSeconds),
      cpus: readFileSync("/proc/cpuinfo", "utf8").match(/^processor/gm)?.length,
      parts: Object.fromEntries(usage),
    };
  },
};

function numbers(args: readonly string[]): Partial<typeof DEFAULTS> {
  const given: Record<string, number> = {};
  for (let index = 0; index + 1 < args.length; index += 2)
    given[(args[index] ?? "").replace(/^--/, "")] = Number(args[index + 1]);
  return given;
}
