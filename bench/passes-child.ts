/** The process whose instructions are counted: makes this many passes over the recording with one decoder, prints the number of frames and ends. */
import type { Contender } from "./contenders/contender.ts";
import { benchFrames } from "./frames.ts";
import type { LaneSpec } from "./lane.ts";

const spec = JSON.parse(process.argv[2] ?? "null") as LaneSpec;
const passes = Number(process.argv[3]);
const { contender } = (await import(new URL(`contenders/${spec.contender}.ts`, import.meta.url).href)) as {
  readonly contender: Contender;
};
const decode = contender.decode?.[spec.mode];
if (decode === undefined) throw new Error(`${contender.name} does not decode ${spec.mode}`);
const frames = benchFrames();
for (let pass = 0; pass < passes; pass++) {
  for (const frame of frames) await decode(frame);
}
console.log(frames.length);
