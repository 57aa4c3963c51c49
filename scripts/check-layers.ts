/**
 * Checks the layer rule of .dependency-cruiser.cjs. If the parser finds no modules, the check would also pass, so the number of
 * modules is checked, too.
 */
import { runStep } from "./run-step.ts";

const LEAST_MODULES = 80;

const { code, output } = await runStep("depcruise", ["packages", "functions", "infra", "scripts"]);
const modules = Number(/(\d+) modules/.exec(output)?.[1] ?? 0);
if (modules < LEAST_MODULES) {
  console.error(`only ${modules} modules were looked at; there are more than ${LEAST_MODULES}`);
  process.exit(1);
}
process.exit(code);
