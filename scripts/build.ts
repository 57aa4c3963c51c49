/** `npm run build`: the long-lived program in dist/server, and the functions in dist/functions as they are deployed. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { buildServer } from "./build-server.ts";
import { bundleFunctions } from "./bundle-functions.ts";
import { ROOT } from "./run-step.ts";

const dist = join(ROOT, "dist");
await rm(dist, { recursive: true, force: true });
await buildServer(dist);
for (const { name, bytes, lazyBytes } of await bundleFunctions(join(dist, "functions"))) {
  const [kib, lazyKib] = [bytes, lazyBytes].map((size) => (size / 1024).toFixed(0));
  console.log(`dist/functions/${name}.mjs ${kib} KiB with what it imports, ${lazyKib} KiB when they are needed`);
}
console.log("dist/server/index.js: node --expose-gc dist/server/index.js");
