/** Recorded frames for tests and benchmarks that cross packages. */
import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import { splitFrames } from "../../packages/embedded/src/relay-log.ts";

/** 305 frames, 300 events: what the sample relay replays, with its original times. */
export function sampleFrames(): Uint8Array[] {
  return splitFrames(readFileSync(new URL("../../packages/embedded/fixtures/sample-frames.bin", import.meta.url)));
}

/** 172 frames, 300 events, every kind of frame, commits of up to nine operations. */
export function mixedFrames(): Uint8Array[] {
  return splitFrames(readFileSync(new URL("../fixtures/mixed-frames.bin", import.meta.url)));
}

/** 2,027 frames, 7,875 events, commits of 1 to 200 operations. */
export function pdsFrames(): Uint8Array[] {
  return splitFrames(zstdDecompressSync(readFileSync(new URL("../fixtures/pds-frames.bin.zst", import.meta.url))));
}
