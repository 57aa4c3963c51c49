/** The bundles themselves: small, quiet when they are loaded, and in step with what infra/ makes of them. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FIGURES } from "../../functions/shared/figures.ts";
import { METRICS, NAMESPACE, SERVICE } from "../../functions/shared/metrics.ts";
import { type BundledFunction, bundleFunctions, FUNCTIONS } from "../../scripts/bundle-functions.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/program.ts";

/**
 * KiB that are loaded at the start. What control holds is what a start and a plan need: the database's driver, the relay's and the SDK
 * are 500 KiB of it. Passwords as libpq prepares them, examinations and the binding to a database took consumer and control above 700 KiB;
 * several runs took control above 768. The change feed and the views are 25 KiB of SQL in both, because a consumer of a newer version
 * migrates the database itself. Repositories are 60 KiB of the reader (archives, trees, requests to hosts) and of control (to plan a run
 * over them; turns at slow hosts, hosts that refuse for ever and the keys that accounts had before are 7 KiB of it), resyncs 3 KiB of both, and the audit of a sample 20 KiB of control. The page of several runs with its plots is 25 KiB of status; chains of commits and the log of actions are in all of them.
 */
const LARGEST_KIB: Readonly<Record<string, number>> = { reader: 732, consumer: 717, control: 912, status: 517 };
/** KiB that are loaded when they are needed: the client of SNS. */
const LARGEST_LAZY_KIB: Readonly<Record<string, number>> = { reader: 48, consumer: 48, control: 0, status: 0 };
const MOST_LINES = 40;

let folder: TemporaryFolder;
let bundles: readonly BundledFunction[];

beforeAll(async () => {
  folder = await temporaryFolder();
  bundles = await bundleFunctions(folder.path);
}, 60_000);

afterAll(() => folder[Symbol.asyncDispose]());

it.each(FUNCTIONS)("%s: the bundle is small, and its source is short", async (name) => {
  const { bytes, lazyBytes } = bundles.find((bundle) => bundle.name === name) ?? {
    bytes: Infinity,
    lazyBytes: Infinity,
  };
  expect(bytes).toBeLessThan((LARGEST_KIB[name] ?? 0) * 1024);
  expect(lazyBytes).toBeLessThanOrEqual((LARGEST_LAZY_KIB[name] ?? 0) * 1024);
  const source = await readFile(new URL(`../../functions/${name}.ts`, import.meta.url), "utf8");
  expect(source.trimEnd().split("\n").length).toBeLessThanOrEqual(MOST_LINES);
});

it("each holds what its function needs, and not what another needs", () => {
  const holds = (name: string, source: string) => bundles.find((bundle) => bundle.name === name)?.sources[source] ?? 0;
  // The reader has no database; the consumer and the page connect to no relay.
  expect(holds("reader", "@neondatabase/serverless")).toBe(0);
  expect(holds("consumer", "ws")).toBe(0);
  expect(holds("status", "ws")).toBe(0);
  expect(holds("consumer", "@neondatabase/serverless")).toBeGreaterThan(0);
  expect(holds("reader", "ws")).toBeGreaterThan(0);
});

it("issue 19.6: none holds at its start what it may never call", () => {
  const unwanted = /^(@aws-sdk\/client-sns|bowser|@(aws-sdk|smithy)\/credential-provider-(?!node|env).*)$/;
  for (const { sources } of bundles) expect(Object.keys(sources).filter((source) => unwanted.test(source))).toEqual([]);
});

it.each(["reader", "consumer"])("issue 19.6: %s: loading it does not load undici", async (name) => {
  // Node loads it with the first use of `fetch`, and with an import of node:http. It takes a fifth of the reader's import.
  const script = `
    await import(${JSON.stringify(`${folder.path}/${name}.mjs`)});
    process.stdout.write(String(process.moduleLoadList.filter((module) => module.includes("undici/undici"))));
    process.exit(0);`;
  const args = ["--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: {}, timeout: 20_000 });
  expect(stdout).toBe("");
});

it.each(FUNCTIONS)("%s: loading it needs no settings, opens nothing and says nothing", async (name) => {
  const script = `
    const { handler } = await import(${JSON.stringify(`${folder.path}/${name}.mjs`)});
    process.stdout.write(typeof handler);`;
  const args = ["--input-type=module", "--eval", script];
  // It ends by itself: no timer and no socket holds it.
  const options = { env: {}, timeout: 20_000 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options);
  expect({ stdout, stderr }).toEqual({ stdout: "function", stderr: "" });
});

it("metrics and figures are those that alarms and the dashboard read", async () => {
  const infra: { METRICS: object; FIGURES: object; NAMESPACE: string; SERVICE: string } = await import(
    new URL("../../infra/metrics.ts", import.meta.url).href
  );
  expect({ METRICS, FIGURES, NAMESPACE, SERVICE }).toEqual({
    FIGURES: infra.FIGURES,
    METRICS: infra.METRICS,
    NAMESPACE: infra.NAMESPACE,
    SERVICE: infra.SERVICE,
  });
});
