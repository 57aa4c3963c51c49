/** `npm run bench -- NAME`: runs one benchmark. Progress goes to stderr; the last line on stdout is the result as JSON. */
import { audit } from "./audit.ts";
import { chaos } from "./chaos.ts";
import { coldStart } from "./cold-start.ts";
import { decode } from "./decode.ts";
import { growth } from "./growth.ts";
import { history } from "./history.ts";
import { interference } from "./interference.ts";
import { lambda } from "./lambda.ts";
import { pipeline } from "./pipeline.ts";
import { price } from "./price.ts";
import { queue } from "./queue.ts";
import { reader } from "./reader.ts";
import { seek } from "./seek.ts";
import { simulation } from "./simulation.ts";
import type { Benchmark } from "./benchmark.ts";
import { sink } from "./sink.ts";
import { tables } from "./tables.ts";
import { throttle } from "./throttle.ts";

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  audit,
  chaos,
  "cold-start": coldStart,
  decode,
  growth,
  history,
  interference,
  lambda,
  pipeline,
  price,
  queue,
  reader,
  seek,
  simulation,
  sink,
  tables,
  throttle,
};

const [name, ...args] = process.argv.slice(2);
const benchmark = name === undefined ? undefined : BENCHMARKS[name];
if (benchmark === undefined) {
  console.error("npm run bench -- NAME, with one of:");
  for (const [known, { summary }] of Object.entries(BENCHMARKS)) console.error(`  ${known.padEnd(14)} ${summary}`);
  process.exit(2);
}
console.log(
  JSON.stringify({
    benchmark: name,
    at: new Date().toISOString(),
    node: process.version,
    ...(await benchmark.run(args)),
  }),
);
process.exit(0);
