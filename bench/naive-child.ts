/** The process of a naive pipeline: one contender applies everything from a relay and reports how long it took. */
import type { Contender } from "./contenders/contender.ts";

interface NaiveSpec {
  readonly contender: string;
  readonly url: string;
  readonly databaseUrl: string;
  readonly headSeq: number;
}

const { contender: file, ...stream } = JSON.parse(process.argv[2] ?? "null") as NaiveSpec;
const { contender } = (await import(`./contenders/${file}.ts`)) as { readonly contender: Contender };
if (contender.apply === undefined) throw new Error(`${contender.name} applies nothing`);
const startMs = performance.now();
const events = await contender.apply(stream);
const seconds = (performance.now() - startMs) / 1_000;
const { user, system } = process.cpuUsage();
process.send?.({ name: contender.name, events, seconds, cpuSeconds: (user + system) / 1_000_000 });
