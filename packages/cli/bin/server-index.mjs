#!/usr/bin/env node
/** `dist/server/index.js` after the build: what Docker and systemd start, `node --expose-gc dist/server/index.js`. */
import { fileURLToPath } from "node:url";
import { launch } from "./launcher.mjs";

await launch({
  script: fileURLToPath(import.meta.url),
  async run() {
    // Built from src/server-main.ts, and beside this file only there.
    const { serve } = await import(new URL("./main.js", import.meta.url).href);
    return serve(process);
  },
});
