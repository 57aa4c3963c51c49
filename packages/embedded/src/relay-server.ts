/**
 * The sample relay: a child process serves the bundled recording of a real PDS, so that a backfill works without the
 * internet. The times of its frames are moved to the hour before the first start on a data folder.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { forkChild } from "./child.ts";

export interface SampleRelayOptions {
  /** Its own folder; created if it is missing. Holds `relay.json`, so that later starts use the same times. */
  readonly dataDir: string;
  readonly now?: () => number;
  readonly signal?: AbortSignal | undefined;
}

export interface SampleRelay extends AsyncDisposable {
  /** `ws://127.0.0.1:PORT`, another port at every start. */
  readonly url: string;
  readonly pid: number;
  /** Record operations and markers in the recording. */
  readonly events: number;
  readonly frames: number;
  /** Resolves when the process is gone, for any reason. */
  readonly exited: Promise<number | null>;
}

/** The one argument of the child. */
export interface SampleRelaySettings {
  readonly framesFile: string;
  /** The new time of the newest frame, milliseconds since the epoch. */
  readonly newestMs: number;
}

/** What the child reports. */
export interface SampleRelayReady {
  readonly url: string;
  readonly events: number;
  readonly frames: number;
}

const ENTRY = new URL("./relay-server-child.ts", import.meta.url);
const FRAMES = new URL("../fixtures/sample-frames.bin", import.meta.url);
const READY_TIMEOUT_MS = 30_000;
const STATE_FILE = "relay.json";
/** The recording covers 41 minutes, so all of it is within the last hour. */
const NEWEST_BEFORE_START_MS = 60_000;

/** @throws ChildError if it cannot start, SyntaxError or TypeError if relay.json is broken */
export async function startSampleRelay(options: SampleRelayOptions): Promise<SampleRelay> {
  const newestMs = await anchorTime(options.dataDir, options.now ?? Date.now);
  const settings: SampleRelaySettings = { framesFile: fileURLToPath(FRAMES), newestMs };
  const child = await forkChild({
    entry: ENTRY,
    args: [JSON.stringify(settings)],
    readyTimeoutMs: READY_TIMEOUT_MS,
    signal: options.signal,
  });
  const { ready } = child;
  if (!isReady(ready)) throw new TypeError("the sample relay reported something else");
  return { ...ready, pid: child.pid, exited: child.exited, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

function isReady(value: unknown): value is SampleRelayReady {
  if (typeof value !== "object" || value === null || !("url" in value && "events" in value && "frames" in value))
    return false;
  return typeof value.url === "string" && typeof value.events === "number" && typeof value.frames === "number";
}

/** Chosen at the first start and kept for all later ones: a resumed run must see the same events at the same times. */
async function anchorTime(dataDir: string, now: () => number): Promise<number> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, STATE_FILE);
  const newestFrameAt = new Date(now() - NEWEST_BEFORE_START_MS).toISOString();
  try {
    await writeFile(file, `${JSON.stringify({ newestFrameAt })}\n`, { flag: "wx" });
    return Date.parse(newestFrameAt);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const state: unknown = JSON.parse(await readFile(file, "utf8"));
  if (typeof state === "object" && state !== null && "newestFrameAt" in state) {
    const time = Date.parse(String(state.newestFrameAt));
    if (Number.isFinite(time)) return time;
  }
  throw new TypeError(`${file} does not say newestFrameAt`);
}
