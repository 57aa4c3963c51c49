#!/usr/bin/env node
/** The command, from its sources: by type stripping, nothing is built. */
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
