/**
 * Runs the program in a process of its own, the way SST's engine does, with mocks in place of the engine and the
 * providers. build.ts bundles it together with sst.config.ts; the resources go to the parent over IPC.
 *
 * It uses internals of Pulumi (the monitor) and of SST (run, its RPC), which is why both are pinned exactly.
 */
import * as pulumi from "@pulumi/pulumi";
import { run } from "../../.sst/platform/src/auto/run.ts";
import config from "../../sst.config.ts";
import { answerCall, stateOf } from "./mocks.ts";
import { startRpcServer } from "./rpc-server.ts";
import type { Registered, Stack, SynthInput } from "./stack.ts";

const SECRET_MARK = "4dabf18193072939515e22adb298388d";

interface Globals {
  synthApp: object;
  synthCli: object;
  synthDev: boolean;
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getRetainondelete(): boolean;
  getImportid(): string;
}

const input = JSON.parse(process.env["SYNTH_INPUT"] ?? "") as SynthInput & { root: string; work: string };

await using server = await startRpcServer(input.work);
process.env["SST_SERVER"] = server.url;

const app = await config.app({ stage: input.stage });
const globals = globalThis as unknown as Globals;
Object.assign(globals.synthApp, app, { stage: input.stage });
globals.synthDev = input.isDev;
globals.synthCli = {
  command: input.isDev ? "dev" : "deploy",
  rpc: server.url,
  paths: { home: input.work, root: input.root, work: input.work, platform: `${input.root}.sst/platform` },
  state: { version: {} },
};

const warnings: string[] = [];
console.warn = (...words: unknown[]): void => void warnings.push(words.map(String).join(" "));

const inputs = new Map<string, Record<string, unknown>>();
await pulumi.runtime.setMocks(
  {
    newResource: (args) => {
      inputs.set(`${args.type}::${args.name}`, args.inputs);
      return stateOf(args);
    },
    call: (args) => answerCall(args, input),
  },
  app.name,
  input.stage,
  false,
);

const requests: RegisterRequest[] = [];
const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource: (...args: unknown[]) => unknown };
const register = monitor.registerResource.bind(monitor);
monitor.registerResource = (...args) => {
  requests.push(args[0] as RegisterRequest);
  return register(...args);
};

const outputs = await pulumi.runtime.runInPulumiStack(() => run(() => config.run()));
await pulumi.runtime.disconnect();

const resources = requests.map((request): Registered => {
  const [type, name] = [request.getType(), request.getName()];
  return {
    type,
    name,
    inputs: plain(inputs.get(`${type}::${name}`) ?? {}) as Record<string, unknown>,
    parent: request.getParent(),
    retainOnDelete: request.getRetainondelete(),
    importId: request.getImportid(),
  };
});
const stack: Stack = {
  app: { name: app.name, removal: app.removal ?? "retain", protect: app.protect ?? false },
  resources,
  links: server.links,
  outputs: (await resolved(outputs)) as Record<string, unknown>,
  warnings,
};
process.send?.(stack);

function resolved(value: unknown): Promise<unknown> {
  return new Promise((resolve) => void pulumi.output(value as object).apply(resolve));
}

/** Pulumi marks as secret whatever came near one (a function's name does, through its code's key). The mark goes. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_MARK in value) return plain((value as unknown as { value: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
