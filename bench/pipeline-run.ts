/** One unthrottled run of the program on recorded frames: the figures of its own snapshot, and memory and CPU of every process. */
import type { ReplayRelay } from "@firehose-backfill/embedded/relay-replay";
import { runBackfill } from "./backfill-process.ts";
import { type ProcessFigures, processTree } from "./process-tree.ts";

export interface PipelineRunOptions {
  readonly relay: ReplayRelay;
  readonly batch: number;
  readonly concurrent: number;
  /** null: the embedded database. */
  readonly databaseUrl: string | null;
}

export interface PipelineFigures {
  readonly events: number;
  /** From the first planned event to the last applied one. */
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Of the program's own process: reader, consumers and page, without the stand-ins and Postgres; its start included. */
  readonly ownCpuSeconds: number;
  /** For each process name: the most memory at one time, and the CPU time. */
  readonly parts: Readonly<Record<string, { readonly rssMb: number; readonly cpuSeconds: number }>>;
}

const SAMPLE_EVERY_MS = 500;

export async function runPipeline(options: PipelineRunOptions): Promise<PipelineFigures> {
  const { relay, batch, concurrent, databaseUrl } = options;
  const usage = startUsage();
  let sampling: NodeJS.Timeout | undefined;
  const { final, code, stderr, cpuSeconds } = await runBackfill({
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
      sampling = setInterval(() => usage.add(pid, processTree(pid)), SAMPLE_EVERY_MS);
    },
  });
  clearInterval(sampling);
  if (code !== 0) throw new Error(`the run ended with ${code}:\n${stderr}`);
  const [events, seconds] = [Number(final["processed"]), Number(final["elapsedSeconds"])];
  const eventsPerSecond = Math.round(events / seconds);
  return { events, seconds, eventsPerSecond, ownCpuSeconds: cpuSeconds, parts: usage.byName() };
}

/** CPU time is the sum over all processes of a name; memory is the sum over those that exist at one time. */
function startUsage() {
  const cpuSeconds = new Map<number, { readonly name: string; readonly cpuSeconds: number }>();
  const maxRssMb = new Map<string, number>();
  return {
    add(rootPid: number, processes: readonly ProcessFigures[]): void {
      const rssMb = new Map<string, number>();
      for (const figures of processes) {
        const name = figures.pid === rootPid ? "backfill" : figures.name;
        cpuSeconds.set(figures.pid, { name, cpuSeconds: figures.cpuSeconds });
        rssMb.set(name, (rssMb.get(name) ?? 0) + figures.rssMb);
      }
      for (const [name, now] of rssMb) maxRssMb.set(name, Math.max(maxRssMb.get(name) ?? 0, now));
    },
    byName: () =>
      Object.fromEntries(
        Array.from(maxRssMb, ([name, rssMb]) => {
          const own = [...cpuSeconds.values()].filter((figures) => figures.name === name);
          const sum = own.reduce((total, figures) => total + figures.cpuSeconds, 0);
          return [name, { rssMb: Math.round(rssMb), cpuSeconds: Number(sum.toFixed(1)) }];
        }),
      ),
  };
}
