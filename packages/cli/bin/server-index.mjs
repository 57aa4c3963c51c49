#!/usr/bin/env node
/** `dist/server/index.js` after the build, which Docker and systemd start: `node --expose-gc dist/server/index.js`. */
import { fileURLToPath } from "node:url";
import { launch } from "./launcher.mjs";

await launch({
  script: fileURLToPath(import.meta.url),
  async run() {
    // The build creates it from src/server-main.ts; it is beside this file only in the build's output.
    const { serve } = await import(new URL("./main.js", import.meta.url).href);
    return serve(process);
  },
});
