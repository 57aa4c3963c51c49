/** One synthesis: the program of one stage and one set of settings, in a child process, and what it registered. */
import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Program } from "./build.ts";
import { REGION } from "./checks/find.ts";
import { ROOT } from "./platform.ts";
import type { Stack, SynthInput } from "./stack.ts";

export interface SynthOptions extends Partial<SynthInput> {
  readonly program: Program;
  /** Settings, as they would stand in the environment of `sst deploy`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export const RELAY_URL = "wss://relay.example.com";
/** The secret's value. No resource may show it. */
export const DATABASE_URL = "postgres://app:correct-horse@db.example.com/app";

/** Nobody's settings but the test's: the developer's own environment does not reach the program. */
const KEPT_NAMES = ["PATH", "HOME", "TMPDIR"];

/** @throws Error with what the program printed, when it fails; a deploy would show the same. */
export async function synthesize(options: SynthOptions): Promise<Stack> {
  const work = await mkdtemp(join(tmpdir(), "synth-"));
  const input: SynthInput = {
    stage: options.stage ?? "test",
    isDev: options.isDev ?? false,
    hasRegistry: options.hasRegistry ?? false,
    region: options.region ?? REGION,
    keptSettings: options.keptSettings ?? null,
  };
  const child = fork(options.program.file, [], {
    cwd: ROOT,
    execArgv: ["--no-warnings"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "json",
    env: {
      ...Object.fromEntries(KEPT_NAMES.map((name) => [name, process.env[name]])),
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "eu-central-1",
      SST_SECRET_DatabaseUrl: DATABASE_URL,
      // Loading the provider is most of the work, and the same work every time.
      NODE_COMPILE_CACHE: `${ROOT}.sst/compile-cache`,
      RELAY_URL,
      ...options.settings,
      SYNTH_INPUT: JSON.stringify({ ...input, root: ROOT, work }),
    },
  });
  let printed = "";
  child.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  let stack: Stack | null = null;
  child.on("message", (message) => (stack = message as Stack));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0 || stack === null) throw new Error(`the program ended with ${String(code)}:\n${printed}`);
    return stack;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
