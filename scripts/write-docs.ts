/** `npm run docs`: writes the pages that are generated from the code. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMMANDS } from "../packages/cli/src/main.ts";
import { cliReference, withSettings } from "../packages/cli/src/reference.ts";
import { ROOT } from "./run-step.ts";

await writeFile(join(ROOT, "docs", "cli.md"), cliReference(COMMANDS));

const configuration = join(ROOT, "docs", "configuration.md");
await writeFile(configuration, withSettings(await readFile(configuration, "utf8")));
