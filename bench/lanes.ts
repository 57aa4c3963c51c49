/** Compares lanes: rounds in turn, so that a disturbance of the machine affects all lanes; medians and ratios. */
import { installClients } from "./install-clients.ts";
import { type Lane, type LaneSpec, openLane, type Round } from "./lane.ts";

export interface LaneFigures {
  readonly contender: string;
  readonly mode: string;
  /** Medians of the rounds. */
  readonly framesPerSecond: number;
  readonly framesPerCpuSecond: number;
  readonly maxRssMb: number;
  /** Records in one frame on average: shows that the lanes did the same work. */
  readonly recordsPerFrame: number;
  /** The rate of each round, in order. */
  readonly rounds: readonly number[];
  readonly cpuRounds: readonly number[];
}

export interface LanesOptions {
  readonly rounds: number;
  /** Of a round: CPU time for decoders, wall-clock time for readers. */
  readonly seconds: number;
}

/** The first round lets the compiler do its work: it takes at least this many seconds and does not count. */
const WARM_UP_SECONDS = 4;

/** The lanes run one after the other within each round. */
export async function runLanes(specs: readonly LaneSpec[], options: LanesOptions): Promise<readonly LaneFigures[]> {
  installClients();
  await using stack = new AsyncDisposableStack();
  const lanes: { readonly lane: Lane; readonly rounds: Round[] }[] = [];
  for (const spec of specs) lanes.push({ lane: stack.use(await openLane(spec)), rounds: [] });
  for (let number = 0; number <= options.rounds; number++) {
    for (const { lane, rounds } of lanes) {
      const round = await lane.run(number === 0 ? Math.max(WARM_UP_SECONDS, options.seconds) : options.seconds);
      if (number > 0) rounds.push(round);
    }
    console.error(`round ${number} of ${options.rounds}${number === 0 ? " (warm-up)" : ""}`);
  }
  return lanes.map(({ lane, rounds }) => figuresOf(lane, rounds));
}

function figuresOf({ name, mode }: Lane, rounds: readonly Round[]): LaneFigures {
  const rates = rounds.map(({ frames: count, seconds }) => Math.round(count / seconds));
  const cpuRates = rounds.map(({ frames: count, cpuSeconds }) => Math.round(count / cpuSeconds));
  const frames = rounds.reduce((sum, round) => sum + round.frames, 0);
  const records = rounds.reduce((sum, round) => sum + round.records, 0);
  return {
    contender: name,
    mode,
    framesPerSecond: Math.round(median(rates)),
    framesPerCpuSecond: Math.round(median(cpuRates)),
    maxRssMb: Math.max(...rounds.map(({ rssMb }) => rssMb)),
    recordsPerFrame: Number((records / Math.max(frames, 1)).toFixed(3)),
    rounds: rates,
    cpuRounds: cpuRates,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export interface Ratio {
  /** By wall-clock time, which a user sees. */
  readonly clock: number;
  /** By CPU time, which a busy machine affects less. */
  readonly cpu: number;
}

/** Median over the rounds of one lane's rate divided by another's in the same round. */
export function ratio(above: LaneFigures, below: LaneFigures): Ratio {
  const of = (left: readonly number[], right: readonly number[]): number =>
    Number(median(left.map((rate, round) => rate / (right[round] ?? Number.NaN))).toFixed(2));
  return { clock: of(above.rounds, below.rounds), cpu: of(above.cpuRounds, below.cpuRounds) };
}

/** `--name value` pairs, as numbers; options that are not given keep their value in `defaults`. */
export function numbersOf<Names extends string>(
  args: readonly string[],
  defaults: Readonly<Record<Names, number>>,
): Record<Names, number> {
  const options: Record<string, number> = { ...defaults };
  for (let index = 0; index < args.length; index += 2) {
    const name = (args[index] ?? "").replace(/^--/, "");
    const value = Number(args[index + 1]);
    if (!(name in defaults) || !Number.isFinite(value))
      throw new Error(`${args[index]} ${args[index + 1]}: not an option of this benchmark`);
    options[name] = value;
  }
  return options;
}

export function printLanes(figures: readonly LaneFigures[]): void {
  console.error(`${"".padEnd(32)}${"frames/s".padStart(10)}${"per CPU-s".padStart(11)}${"rss MB".padStart(8)}`);
  for (const { contender, mode, framesPerSecond, framesPerCpuSecond, maxRssMb } of figures) {
    const columns = [String(framesPerSecond).padStart(10), String(framesPerCpuSecond).padStart(11)];
    console.error(`${`${contender} (${mode})`.padEnd(32)}${columns.join("")}${String(maxRssMb).padStart(8)}`);
  }
}
