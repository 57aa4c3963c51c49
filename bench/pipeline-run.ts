/** One run of the program on recorded frames, unthrottled: its own snapshot's figures, and memory and CPU of every process. */
import type { ReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { runBackfill } from "./backfill-process.ts";
import { processTree } from "./process-tree.ts";

export interface PipelineRunOptions {
  readonly relay: ReplayRelay;
  readonly batch: number;
  readonly concurrent: number;
  /** null: the embedded one. */
  readonly databaseUrl: string | null;
}

export interface PipelineFigures {
  readonly events: number;
  /** From the first planned event to the last applied one. */
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** By process: most memory at a time, and time of the processor. */
  readonly parts: Readonly<Record<string, { readonly rssMb: number; readonly cpuSeconds: number }>>;
}

const SAMPLE_EVERY_MS = 250;

export async function runPipeline(options: PipelineRunOptions): Promise<PipelineFigures> {
  const { relay, batch, concurrent, databaseUrl } = options;
  const usage = new Map<string, { rssMb: number; cpuSeconds: number }>();
  let sampling: NodeJS.Timeout | undefined;
  const { final, code, stderr } = await runBackfill({
    args: ["start", "--from", "oldest", "--to", String(relay.log.headSeq), "--until-done", "--json"],
    env: {
      RELAY_URL: relay.url,
      BACKFILL_BATCH_SIZE: String(batch),
      BACKFILL_BATCH_DELAY_MS: "0",
      BACKFILL_MAX_CONCURRENT: String(concurrent),
      BACKFILL_DB_POOL_SIZE: String(concurrent),
      BACKFILL_MAX_MEMORY_MB: "2048",
      BACKFILL_USE_IDLE: "false",
      ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
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
  const [events, seconds] = [Number(final["processed"]), Number(final["elapsedSeconds"])];
  return { events, seconds, eventsPerSecond: Math.round(events / seconds), parts: Object.fromEntries(usage) };
}
