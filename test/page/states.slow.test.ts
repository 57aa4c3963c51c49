/**
 * What a stranger sees on the page of the real server in each trouble: the first sentence says what is wrong, since when, and what to do, at
 * every width, and nothing moves when one sentence takes the place of another. The pages of dead events and of several runs are looked at, too.
 */
import { startHttpServer } from "@firehose-backfill/server/http-server";
import type { DeadEvent } from "@firehose-backfill/sink/dead-events";
import { emptyHistory } from "@firehose-backfill/status/history";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFindings, CHROMIUM, launchBrowser, overflowOf, visit } from "./browser.ts";
import { healthy, STATES } from "./states.ts";

const WIDTHS = [
  [320, 640],
  [768, 1_024],
  [1_280, 800],
] as const;
const RUN = "20261128-101500-k3f9";
const AT = "2026-03-01T11:50:00.000Z";
const LONG = "x".repeat(120);

const kept: readonly DeadEvent[] = Array.from({ length: 30 }, (_, n) => ({
  id: `0123abcd-0000-8000-8000-${String(n).padStart(12, "0")}`,
  runId: RUN,
  seq: n * 1_000,
  did: "did:plc:z72i7hdynmk6r22z27h6tvur",
  path: `app.bsky.feed.post/${LONG}`,
  reason: n % 2 === 0 ? "database-23514" : "nul-character",
  error: `new row for relation "records" violates check constraint "${LONG}"`,
  payload: Buffer.from('{"a":1}'),
  createdAt: AT,
  redrivenAt: n % 2 === 0 ? AT : null,
  appliedAt: n === 3 ? AT : null,
  appliedBy: n === 3 ? "1/0/9/0" : null,
  eventBytes: n === 4 ? null : 900,
  event: null,
}));

async function serve(first: Snapshot, others: readonly Snapshot[] = []) {
  let shown = first;
  const server = await startHttpServer({
    port: 0,
    snapshot: async () => shown,
    history: () => emptyHistory(RUN),
    runs: { all: async () => [...others, shown], find: async () => null, past: async () => [] },
    openDeadEvents: () => ({
      claim: async () => [],
      countUntriable: async () => 0,
      failedRepositories: async () => [],
      handOver: async () => {},
      discard: async () => ({}),
      list: async ({ limit }) => kept.slice(0, limit),
      countByReason: async () => ({ "database-23514": 15, "nul-character": 14 }),
      [Symbol.asyncDispose]: async () => {},
    }),
    control: async () => ({ message: "15 dead events with the reason database-23514 are back in the queue" }),
    log: () => {},
  });
  return Object.assign(server, { show: (next: Snapshot) => void (shown = next) });
}

const topOf = async (page: Page, selector: string) =>
  Math.round(((await page.locator(selector).first().boundingBox())?.y ?? 0) + (await page.evaluate<number>("scrollY")));

async function expectWell(page: Page): Promise<void> {
  for (const [width, height] of WIDTHS) {
    await page.setViewportSize({ width, height });
    expect({ width, right: (await overflowOf(page)).right }).toEqual({ width, right: 0 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect({ width, colorScheme, found: await accessibilityFindings(page) }).toEqual({
        width,
        colorScheme,
        found: [],
      });
    }
  }
}

describe.skipIf(CHROMIUM === undefined)(
  "what a stranger sees (needs a Chromium: apt-get install chromium)",
  { timeout: 240_000 },
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser.close();
    });

    it.each(STATES)(
      "issue 17.1: $name is said above everything, with what to do",
      async ({ snapshot, says, advises }) => {
        await using site = await serve(snapshot);
        const { page, complaints } = await visit(browser, site.url, { viewport: { width: 320, height: 640 } });
        const banner = page.locator("#warnings .notice");
        const said = (await banner.innerText()).replaceAll("\n", " ");
        expect(said).toMatch(says);
        expect(said).toMatch(advises);
        // It is whole in the first window of a telephone, and not green.
        const box = await banner.boundingBox();
        expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(320);
        expect(await banner.getAttribute("class")).toMatch(/warn|bad/);
        expect(complaints).toEqual([]);
        await page.close();
      },
    );

    it.each(WIDTHS)("issue 17.3: at %i pixels no sentence moves what is below it", async (width, height) => {
      await using site = await serve(healthy());
      const { page } = await visit(browser, site.url, { viewport: { width, height } });
      const before = await topOf(page, ".hero");
      for (const [index, { name, snapshot }] of STATES.entries()) {
        site.show({ ...snapshot, at: `2026-03-01T12:00:${String(index + 10)}.000Z` });
        await page.reload();
        expect({ name, top: await topOf(page, ".hero") }).toEqual({ name, top: before });
      }
      await page.close();
    });

    it("issue 17.4: the page of dead events fits every width in light and dark, axe has nothing to say, and an answer moves nothing", async () => {
      await using site = await serve(healthy());
      const { page, complaints } = await visit(browser, `${site.url}/dead?reason=database-23514`);
      await expectWell(page);
      for (const [width, height] of WIDTHS) {
        await page.setViewportSize({ width, height });
        await page.goto(`${site.url}/dead?reason=database-23514`);
        const before = await topOf(page, ".filter");
        await page.getByRole("button", { name: "Redrive these 15" }).click();
        await page.getByRole("status").filter({ hasText: "back in the queue" }).waitFor();
        expect({ width, top: await topOf(page, ".filter") }).toEqual({ width, top: before });
      }
      await page.goto(`${site.url}/dead`);
      await page.getByText("Discard all…").click();
      await expectWell(page);
      expect(complaints.filter((line) => !line.startsWith(site.url))).toEqual([]);
      await page.close();
    });

    it("issue 17.4: the page of dead events is painted within 300 ms and does not shift while it loads", async () => {
      await using site = await serve(healthy());
      const { page } = await visit(browser, `${site.url}/dead`);
      const paints: number[] = [];
      for (let visits = 0; visits < 5; visits += 1) {
        await page.reload();
        await expect.poll(() => page.evaluate("performance.getEntriesByName('first-contentful-paint').length")).toBe(1);
        paints.push(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"));
        const shifts: unknown = await page.evaluate(
          "new Promise((done) => { let sum = 0; new PerformanceObserver((list) => list.getEntries().forEach((one) => { sum += one.value })).observe({ type: 'layout-shift', buffered: true }); requestAnimationFrame(() => setTimeout(() => done(sum), 50)) })",
        );
        expect(shifts).toBe(0);
      }
      expect(Math.min(...paints)).toBeLessThan(300);
      // 25 events with long texts.
      expect((await (await fetch(`${site.url}/dead`)).arrayBuffer()).byteLength).toBeLessThan(80_000);
      await page.close();
    });

    it("issue 17.1: a list of runs in trouble fits every width in light and dark, axe has nothing to say, and no verdict is longer than a few lines", async () => {
      const [last, ...others] = STATES.map(({ snapshot }, n) => ({
        ...snapshot,
        runId: `run-${n}`,
        name: `name-${n}`,
      }));
      if (last === undefined) throw new Error("no states");
      await using site = await serve(last, others);
      const { page, complaints } = await visit(browser, site.url);
      await expectWell(page);
      await page.setViewportSize({ width: 320, height: 640 });
      for (const state of await page.locator(".run-state").all())
        expect((await state.boundingBox())?.height ?? 0).toBeLessThan(110);
      expect(complaints).toEqual([]);
      await page.close();
    });

    it("issue 17.1: an open page whose process is gone says so, in its title, too", async () => {
      const site = await serve(healthy());
      const { page } = await visit(browser, site.url, { viewport: { width: 320, height: 640 } });
      await site[Symbol.asyncDispose]();
      await page.waitForSelector("#pulse.lost");
      expect(await page.title()).toBe("No answer - firehose-backfill");
      expect(await page.locator("#warnings .notice").innerText()).toMatch(/no answer/i);
      expect(await accessibilityFindings(page)).toEqual([]);
      await page.close();
    });
  },
);
