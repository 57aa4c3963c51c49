/** The page in a real browser that runs no script, and other sites' pages that would like to use it. */
import { createServer } from "node:http";
import { startHttpServer } from "@firehose-backfill/server/http-server";
import { emptyHistory } from "@firehose-backfill/status/history";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { describe, expect, it } from "vitest";
import { accessibilityFindings, CHROMIUM, launchBrowser, overflowOf, visit } from "./browser.ts";

function serve(events: unknown[]) {
  return startHttpServer({
    port: 0,
    snapshot: () => Promise.resolve(sampleSnapshot()),
    history: () => emptyHistory("run-1"),
    control: (event) => {
      events.push(event);
      return Promise.resolve({ message: `that was number ${events.length}` });
    },
    log: () => {},
  });
}

describe.skipIf(CHROMIUM === undefined)("without a script (needs a Chromium: apt-get install chromium)", () => {
  it("fault 29: the forms of the page work, and the page answers", async () => {
    const events: unknown[] = [];
    await using server = await serve(events);
    await using browser = await launchBrowser();
    const { page, complaints } = await visit(browser, server.url, { javaScriptEnabled: false });
    await page.click("text=Let it stand still");
    await page.click("#do-pause");
    await page.locator("#notice").filter({ hasText: "that was number 1" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/");
    await page.click("text=Let it stand still");
    await page.click("#tune summary");
    await page.fill("#tune-BACKFILL_BATCH_DELAY_MS", "4000");
    await page.keyboard.press("Enter");
    await page.locator("#notice").filter({ hasText: "that was number 2" }).waitFor();
    await page.click("#cancel summary");
    await page.click("#do-cancel");
    await page.locator("#notice").filter({ hasText: "that was number 3" }).waitFor();
    expect(events).toEqual([
      { action: "pause" },
      { action: "tune", settings: { BACKFILL_BATCH_DELAY_MS: 4000 } },
      { action: "cancel" },
    ]);
    expect(complaints).toEqual([]);
    await page.setViewportSize({ width: 320, height: 800 });
    const width = await page.locator("body").evaluate((body) => body.scrollWidth);
    expect(width).toBeLessThanOrEqual(320);
  });

  it("fault 29: forms of another site, in a sandboxed frame or not, are refused", async () => {
    const events: unknown[] = [];
    await using server = await serve(events);
    await using browser = await launchBrowser();
    const form = `<form method="post" action="${server.url}/control"><button name="action" value="cancel">x</button></form><script>document.querySelector("button").click()</script>`;
    const pages: Record<string, string> = {
      "/plain": form,
      "/framed": `<iframe sandbox="allow-forms allow-scripts" srcdoc="${form.replaceAll('"', "&quot;")}"></iframe>`,
      "/secretive": `<meta name="referrer" content="no-referrer">${form}`,
    };
    const foreign = createServer((request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end(pages[request.url ?? ""] ?? "");
    });
    await new Promise<void>((resolve) => foreign.listen(0, "127.0.0.1", resolve));
    const address = foreign.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    for (const host of ["127.0.0.1", "localhost"]) {
      for (const path of Object.keys(pages)) {
        const page = await browser.newPage();
        await page.goto(`http://${host}:${port}${path}`, { waitUntil: "commit" });
        // The frame that sent it shows the answer.
        await expect
          .poll(
            async () => (await Promise.all(page.frames().map((frame) => frame.content().catch(() => "")))).join(""),
            {
              timeout: 20_000,
            },
          )
          .toContain("requests from other origins are refused");
        await page.close();
      }
    }
    expect(events).toEqual([]);
    foreign.closeAllConnections();
    foreign.close();
  });

  it("fault 31: a page whose process is gone says so, and nothing of it looks alive", async () => {
    const events: unknown[] = [];
    const server = await serve(events);
    await using browser = await launchBrowser();
    const { page } = await visit(browser, server.url);
    expect(await accessibilityFindings(page)).toEqual([]);
    expect((await overflowOf(page)).right).toBe(0);
    await server[Symbol.asyncDispose]();
    await page.locator("body.lost").waitFor({ timeout: 20_000 });
    expect(await page.title()).toBe("No answer - firehose-backfill");
    expect(await page.locator("#pulse").textContent()).toContain("No answer since");
  });
});
