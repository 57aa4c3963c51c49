/** `npm run build`: the long-lived program in dist/server, and the functions in dist/functions as they are deployed. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { buildServer } from "./build-server.ts";
import { bundleFunctions } from "./bundle-functions.ts";
import { ROOT } from "./run-step.ts";

const dist = join(ROOT, "dist");
await rm(dist, { recursive: true, force: true });
await buildServer(dist);
for (const { name, bytes } of await bundleFunctions(join(dist, "functions"))) {
  console.log(`dist/functions/${name}.mjs ${(bytes / 1024).toFixed(0)} KiB`);
}
console.log("dist/server/index.js: node --expose-gc dist/server/index.js");
