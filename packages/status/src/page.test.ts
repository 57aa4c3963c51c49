/** The page in a real browser, where there is one: under its own policy, live, and steered by click and by keyboard. */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseControlForm, type ControlFormEvent } from "./parse-control-form.ts";
import { contentSecurityPolicy, renderHtml } from "./render-html.ts";
import { sampleEmptySnapshot, sampleHistory, sampleSnapshot } from "./sample-snapshot.ts";
import type { Snapshot } from "./snapshot.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

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

const LOOKS = [
  [320, 640, "dark"],
  [768, 1_024, "light"],
  [1_280, 800, "dark"],
  [1_280, 800, "light"],
] as const;

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
      response.end(renderHtml(snapshot, { nonce, history: sampleHistory() }));
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

describe.skipIf(CHROMIUM === undefined)("the page in a browser", { timeout: 120_000 }, () => {
  let browser: Browser;

  beforeAll(async () => {
    const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
    const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", ...quiet];
    browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args });
  });

  afterAll(async () => {
    await browser.close();
  });

  /** Opens the page; whatever the browser complains about, or asks of others, is collected. */
  async function open(url: string, options: Parameters<Browser["newPage"]>[0] = {}) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(request.url());
    });
    await page.goto(url);
    return { page, complaints };
  }

  it.each([
    ["at work", sampleSnapshot()],
    ["in trouble", trouble],
    ["empty", sampleEmptySnapshot()],
  ])("%s fits every width, in light and dark, and axe has nothing to say", async (_, snapshot) => {
    await using place = await servePage(snapshot);
    const { page, complaints } = await open(place.url);
    await page.evaluate(AXE);
    for (const [width, height, colorScheme] of LOOKS) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      const { right, below } = await overflowOf(page);
      expect({ width, right, below: width < 1_100 ? 0 : below }).toEqual({ width, right: 0, below: 0 });
      expect(await page.evaluate(findViolations)).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("follows the run without a word in the console, and says when nobody answers any more", async () => {
    await using place = await servePage(sampleSnapshot());
    const { page, complaints } = await open(place.url);
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
    const { page, complaints } = await open(place.url);
    const answer = (action: string) =>
      page
        .getByRole("status")
        .filter({ hasText: `done: ${action}` })
        .first()
        .waitFor();
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
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("asks before it cancels, by keyboard alone", async () => {
    await using place = await servePage(sampleSnapshot());
    const { page } = await open(place.url);
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
    const { page } = await open(place.url, { javaScriptEnabled: false });
    expect(await page.textContent("#events")).toContain("26,950");
    await Promise.all([page.waitForURL("**/control"), page.click("#do-pause")]);
    expect(place.events).toEqual([{ action: "pause" }]);
    await page.close();
  });
});

/** How far the page reaches beyond the window, in pixels. */
function overflowOf(page: Page): Promise<{ readonly right: number; readonly below: number }> {
  return page.evaluate(
    "({ right: document.documentElement.scrollWidth - innerWidth, below: document.documentElement.scrollHeight - innerHeight })",
  );
}

/** An expression, because axe is a global of the page alone. */
const findViolations =
  "axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target)}`))";
