/** Runs one command of the toolchain with the pinned Node first in PATH; its output is passed through or returned. */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");

/** No command may contact a cloud: no metadata address, no real keys. */
const SAFE_AWS = {
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
  AWS_REGION: "us-east-1",
};

export interface StepResult {
  readonly code: number;
  readonly output: string;
}

/** Resolves when the command has ended, with any exit code. `isForAws`: it works with your own credentials. */
export function runStep(
  command: string,
  args: readonly string[],
  options: { readonly quiet?: boolean; readonly isForAws?: boolean } = {},
): Promise<StepResult> {
  const bin = join(ROOT, "node_modules", ".bin");
  const child = spawn(command, [...args], {
    cwd: ROOT,
    env: {
      ...process.env,
      ...(options.isForAws === true ? {} : SAFE_AWS),
      PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const [stream, target] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (options.quiet !== true) target.write(text);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
