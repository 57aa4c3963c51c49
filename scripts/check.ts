/** `npm run check`: what CI runs. Later steps run even after one has failed, so that one run shows all problems. */
import { runStep } from "./run-step.ts";

const STEPS: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ["format", "oxfmt", ["--check", "."]],
  ["lint", "oxlint", ["--type-aware"]],
  ["types", "tsc", ["-p", "."]],
  ["layers", "node", ["scripts/check-layers.ts"]],
  ["dead code", "knip", []],
  ["tests", "node", ["scripts/test.ts"]],
  ["slow tests", "node", ["scripts/test.ts", "--slow"]],
];

const failed: string[] = [];
for (const [name, command, args] of STEPS) {
  console.log(`\n== ${name}`);
  const { code } = await runStep(command, args);
  if (code !== 0) failed.push(name);
}
console.log(failed.length === 0 ? "\nAll checks passed." : `\nFailed: ${failed.join(", ")}`);
process.exit(failed.length === 0 ? 0 : 1);
