/** The process of one lane: loads a contender, then measures one round for each message from its parent. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Contender, DecodeFrame, ReadRelay } from "./contenders/contender.ts";
import { benchFrames } from "./frames.ts";
import type { LaneSpec, Round } from "./lane.ts";

type Measure = (seconds: number) => Promise<{ frames: number; records: number }>;

const spec = JSON.parse(process.argv[2] ?? "null") as LaneSpec;
// The contender is beside this file, in the sources and in the build.
const ending = extname(fileURLToPath(import.meta.url));
const place = new URL(`contenders/${spec.contender}${ending}`, import.meta.url);
const { contender } = (await import(place.href)) as { readonly contender: Contender };
const measure = spec.kind === "decode" ? decoding() : reading();

process.on("message", (seconds: number) => void round(seconds));
process.on("disconnect", () => process.exit(0));
process.send?.({ name: contender.name });

/**
 * No garbage collection is forced between rounds: if it found none of a program's objects alive, it would discard the compiled code,
 * and the round would measure the compiler.
 */
async function round(seconds: number): Promise<void> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const { frames, records } = await measure(seconds);
  const elapsed = (performance.now() - startMs) / 1_000;
  const figures: Round = {
    frames,
    records,
    seconds: elapsed,
    cpuSeconds: cpuSecondsSince(cpu),
    rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
  process.send?.(figures);
}

/** All threads of this process. */
function cpuSecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** Whole passes over the recording, until this much CPU time is used: a busy machine does not shorten a round. */
function decoding(): Measure {
  const decode: DecodeFrame | undefined = contender.decode?.[spec.mode];
  if (decode === undefined) throw new Error(`${contender.name} does not decode ${spec.mode}`);
  const frames = benchFrames();
  return async (seconds) => {
    const cpu = process.cpuUsage();
    const tally = { frames: 0, records: 0 };
    do {
      for (const frame of frames) {
        const records = decode(frame);
        tally.records += typeof records === "number" ? records : await records;
      }
      tally.frames += frames.length;
    } while (cpuSecondsSince(cpu) < seconds);
    return tally;
  };
}

function reading(): Measure {
  const read: ReadRelay | undefined = contender.read?.[spec.mode];
  const { url, cursor } = spec;
  if (read === undefined || url === undefined || cursor === undefined)
    throw new Error(`${contender.name} does not read ${spec.mode}`);
  return async (seconds) => {
    const stop = new AbortController();
    const tally = { frames: 0, records: 0 };
    const timer = setTimeout(() => stop.abort(), seconds * 1_000);
    await read(url, cursor, tally, stop.signal);
    clearTimeout(timer);
    return tally;
  };
}
