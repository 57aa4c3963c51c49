/** compose.yaml, Dockerfile and the systemd unit name settings and files that exist. They cannot be run here; this much can. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SETTINGS } from "@firehose-backfill/core/config/definitions";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { readEnv } from "@firehose-backfill/core/config/read-env";
import { expect, it } from "vitest";
import { ROOT } from "../../scripts/run-step.ts";

const read = (path: string) => readFile(join(ROOT, path), "utf8");
const COMMAND = "node --expose-gc dist/server/index.js";

it("compose.yaml offers settings by their names, limits processor and memory, and is polite", async () => {
  const compose = await read("compose.yaml");
  const offered = [...compose.matchAll(/^ {6}([A-Z_]+): \$\{([A-Z_]+):-(.*)\}$/gm)];
  expect(offered.length).toBeGreaterThan(8);
  const known = new Set(SETTINGS.map(({ name }) => name));
  for (const [, name = "", variable] of offered) {
    expect(known).toContain(name);
    expect(variable).toBe(name);
  }
  // As it is written: an empty value is unset.
  const env = Object.fromEntries(offered.map(([, name, , fallback]) => [name, fallback]));
  expect(parseConfig(readEnv(env)).settings).toEqual(parseConfig({}).settings);
  expect(compose).toMatch(/^ {4}cpus: "0\.5"$/m);
  expect(compose).toMatch(/^ {4}mem_limit: 1g$/m);
  expect(compose).toContain(`command: nice -n 19 ${COMMAND}`);
});

it("the image copies what is there, runs it unprivileged, and exposes the collector", async () => {
  const dockerfile = await read("Dockerfile");
  expect(dockerfile).toContain(`CMD ["nice", "-n", "19", "node", "--expose-gc", "dist/server/index.js"]`);
  expect(dockerfile.indexOf("USER node")).toBeGreaterThan(dockerfile.lastIndexOf("FROM "));
  const ignored = (await read(".dockerignore")).split("\n");
  for (const needed of ["packages", "functions", "infra", "scripts", "package.json", "package-lock.json"]) {
    expect(existsSync(join(ROOT, needed))).toBe(true);
    expect(ignored).not.toContain(needed);
  }
});

it("the unit runs the same program, nicely, and lets it stop its own children", async () => {
  const lines = (await read("docs/systemd/firehose-backfill.service")).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      `ExecStart=/usr/bin/${COMMAND}`,
      "Nice=19",
      "KillMode=mixed",
      "RestartPreventExitStatus=2",
    ]),
  );
});

it("issue 16.6: the nightly audit is the same program with the same settings, and its timer starts it", async () => {
  const service = (await read("docs/systemd/firehose-backfill.service")).split("\n");
  const audit = (await read("docs/systemd/firehose-backfill-audit.service")).split("\n");
  expect(audit).toContain(`ExecStart=/usr/bin/${COMMAND} audit --sample 300`);
  const ofBoth = /^(?:User|WorkingDirectory|EnvironmentFile|Environment|StateDirectory|Nice)=/;
  expect(audit.filter((line) => ofBoth.test(line))).toEqual(service.filter((line) => ofBoth.test(line)));
  expect(await read("docs/systemd/firehose-backfill-audit.timer")).toMatch(/^OnCalendar=\*-\*-\* 04:30$/m);
});
