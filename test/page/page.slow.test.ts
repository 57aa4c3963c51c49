/** The page in a real browser, where there is one: under its own policy, live, and steered by click and by keyboard. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type ControlFormEvent, parseControlForm } from "@firehose-backfill/status/parse-control-form";
import { contentSecurityPolicy, renderHtml } from "@firehose-backfill/status/render-html";
import { sampleEmptySnapshot, sampleCourse, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFindings, CHROMIUM, launchBrowser, LOOKS, overflowOf, visit } from "./browser.ts";

const trouble = sampleSnapshot({
  status: "errored",
  reason: "the host is silent on our cursor",
  fallsOffInSeconds: 18_600,
  queue: { ...sampleSnapshot().queue, deadLetters: 8 },
  memory: { usedMb: 530, limitMb: 512, pauses: 4, lastPauseAt: "2026-03-01T11:50:00.000Z", backOff: 4 },
  errors: Array.from({ length: 20 }, (_, index) => ({
    at: "2026-03-01T11:40:00.000Z",
    source: "reader",
    message: `${index}: connect ECONNREFUSED 127.0.0.1:2583, and then a word without any space ${"x".repeat(200)}`,
  })),
});

/** A place that is served as the local server does, whose snapshot a test changes. */
async function servePage(first: Snapshot) {
  let snapshot = first;
  let requests = 0;
  const events: ControlFormEvent[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests += 1;
    if (request.url === "/control") {
      events.push(parseControlForm(new URLSearchParams(await text(request))));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ok: true, message: `done: ${events.at(-1)?.action}` }));
    } else if (request.url === "/status.json") response.end(JSON.stringify(snapshot));
    else {
      const nonce = `nonce${requests}`;
      response.setHeader("content-security-policy", contentSecurityPolicy(nonce));
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(renderHtml(snapshot, { nonce, course: sampleCourse() }));
    }
  };
  const server = createServer((request, response) => void respond(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    events,
    show: (next: Snapshot) => {
      snapshot = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe.skipIf(CHROMIUM === undefined)(
  "the page in a browser (needs a Chromium: apt-get install chromium)",
  { timeout: 120_000 },
  () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await launchBrowser();
    });

    afterAll(async () => {
      await browser.close();
    });

    it.each([
      ["at work", sampleSnapshot()],
      ["in trouble", trouble],
      ["empty", sampleEmptySnapshot()],
    ])("%s fits every width, in light and dark, and axe has nothing to say", async (_, snapshot) => {
      await using place = await servePage(snapshot);
      const { page, complaints } = await visit(browser, place.url);
      for (const [width, height, colorScheme] of LOOKS) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        const { right, below } = await overflowOf(page);
        expect({ width, right, below: width < 1_100 ? 0 : below }).toEqual({ width, right: 0, below: 0 });
      }
      // What axe looks at depends on the colours, not on the width.
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await accessibilityFindings(page)).toEqual([]);
      }
      expect(complaints).toEqual([]);
      await page.close();
    });

    it("follows the run without a word in the console, and says when nobody answers any more", async () => {
      await using place = await servePage(sampleSnapshot());
      const { page, complaints } = await visit(browser, place.url);
      await page.click("#tune summary");
      await page.fill("#tune-BACKFILL_BATCH_SIZE", "9");
      place.show(sampleSnapshot({ processed: 27_000, at: "2026-03-01T12:00:05.000Z" }));
      await page.locator("#events").filter({ hasText: "27,000" }).waitFor();
      expect(await page.inputValue("#tune-BACKFILL_BATCH_SIZE")).toBe("9");
      place.show(sampleSnapshot({ status: "paused", at: "2026-03-01T12:00:07.000Z" }));
      await page.waitForSelector("#do-resume");
      expect(await page.title()).toContain("paused");
      expect(complaints).toEqual([]);
      await place[Symbol.asyncDispose]();
      await page.waitForSelector("#pulse.lost");
      expect(await page.textContent("#pulse")).toBe("No answer since 12:00:07 UTC");
      await page.close();
    });

    it("sends what is clicked, and says the answer", async () => {
      await using place = await servePage(sampleSnapshot({ queue: { ...sampleSnapshot().queue, deadLetters: 2 } }));
      const { page, complaints } = await visit(browser, place.url);
      const answer = (action: string) =>
        page
          .getByRole("status")
          .filter({ hasText: `done: ${action}` })
          .first()
          .waitFor();
      await page.clock.install();
      await page.reload();
      await page.click("#do-pause");
      await answer("pause");
      await page.click("#do-redrive");
      await answer("redrive");
      await page.click("#tune summary");
      await page.fill("#tune-BACKFILL_BATCH_DELAY_MS", "4000");
      await page.keyboard.press("Enter");
      await answer("tune");
      expect(place.events).toEqual([
        { action: "pause" },
        { action: "redrive" },
        { action: "tune", settings: { BACKFILL_BATCH_DELAY_MS: 4_000 } },
      ]);
      // What went well is old news soon; a banner that says otherwise than the state would stay for hours.
      await page.clock.fastForward(16_000);
      await page.locator("#notice").filter({ hasText: "done" }).waitFor({ state: "hidden" });
      expect(complaints).toEqual([]);
      await page.close();
    });

    it("asks before it cancels, by keyboard alone", async () => {
      await using place = await servePage(sampleSnapshot());
      const { page } = await visit(browser, place.url);
      await page.focus("#cancel summary");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Escape");
      expect(await page.isVisible("#do-cancel")).toBe(false);
      expect(place.events).toEqual([]);
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await expect.poll(() => place.events).toEqual([{ action: "cancel" }]);
      await page.close();
    });

    it("shows everything, and can be steered, without a script", async () => {
      await using place = await servePage(sampleSnapshot());
      const { page } = await visit(browser, place.url, { javaScriptEnabled: false });
      expect(await page.textContent("#events")).toContain("26,950");
      await Promise.all([page.waitForURL("**/control"), page.click("#do-pause")]);
      expect(place.events).toEqual([{ action: "pause" }]);
      await page.close();
    });
  },
);
