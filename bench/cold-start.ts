/** The main part of a cold start: loading each function's bundle, in a fresh process every time. */
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundleFunctions } from "../scripts/bundle-functions.ts";
import { temporaryFolder } from "../test/support/program.ts";
import { median, numbersOf } from "./lanes.ts";
import type { Benchmark } from "./benchmark.ts";

/** No settings, because loading a bundle needs none. */
const ENV = {};

export const coldStart: Benchmark = {
  summary: "milliseconds to load each function's bundle in a fresh process [--times N]",
  async run(args) {
    const { times } = numbersOf(args, { times: 21 });
    await using folder = await temporaryFolder();
    const bundles = await bundleFunctions(folder.path);
    const taken = new Map<string, number[]>(bundles.map(({ name }) => [name, []]));
    // In turn, so that a disturbance of the machine affects all of them.
    for (let round = 0; round < times; round += 1)
      for (const [name, each] of taken) each.push(await importMs(join(folder.path, `${name}.mjs`)));
    const results = bundles.map(({ name, bytes }) => {
      const each = taken.get(name) ?? [];
      return { name, kib: Math.round(bytes / 1024), medianMs: median(each), leastMs: Math.min(...each) };
    });
    for (const { name, kib, medianMs, leastMs } of results)
      console.error(`${name.padEnd(10)}${kib} KiB, ${medianMs} ms (least ${leastMs})`);
    return { times, cpus: cpus().length, results };
  },
};

async function importMs(path: string): Promise<number> {
  const script = `
    const before = performance.now();
    await import(${JSON.stringify(path)});
    process.stdout.write(String(Math.round(performance.now() - before)));
    process.exit(0);`;
  const args = ["--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: ENV });
  return Number(stdout);
}
