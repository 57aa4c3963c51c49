#!/usr/bin/env node
/** Runs the command from its sources: Node strips the types, so nothing is built. */
import { fileURLToPath } from "node:url";
import { launch } from "./launcher.mjs";

await launch({
  script: fileURLToPath(import.meta.url),
  async run() {
    const { main } = await import("../src/main.ts");
    const { processContext } = await import("../src/process-context.ts");
    return main(processContext(process));
  },
});
