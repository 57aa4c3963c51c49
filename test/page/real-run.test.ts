/**
 * A person at the page of the real program, on the embedded stack: starts a run by click, watches it, pauses, resumes and
 * tunes it, sees a batch die and brings it back, and cancels another run. With SCREENSHOTS set it renews those of docs/assets.
 */
import { fileURLToPath } from "node:url";
import { eventsIn } from "@firehose-backfill/embedded/relay-frame";
import { findPostgresUrl } from "@firehose-backfill/embedded/postgres-address";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isLong } from "@firehose-backfill/testing/long";
import { type Program, startProgram, temporaryFolder, type TemporaryFolder } from "../support/program.ts";
import { openTestDatabase } from "../support/query.ts";
import { sampleFrames } from "../support/recordings.ts";
import { accessibilityFindings, CHROMIUM, launchBrowser, LOOKS, overflowOf, visit, type Visit } from "./browser.ts";

const EVENTS = sampleFrames().reduce((sum, frame) => sum + eventsIn(frame), 0);
/** A run that backs off on a busy machine takes a multiple of its time. */
const PATIENCE = { timeout: 180_000, interval: 250 };

/** An exception of a user's trigger is about the row: it becomes a dead event, and the run goes on. An error of the server, XX000, would make it wait. */
const POISON = `
  CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the disk says no' USING ERRCODE = 'P0001'; END $$;
  CREATE TRIGGER poison BEFORE INSERT ON firehose.records FOR EACH ROW WHEN (NEW.seq = 214) EXECUTE FUNCTION public.fail();`;

describe.skipIf(CHROMIUM === undefined || !isLong)(
  "a run at its page (needs a Chromium, and npm run test:long)",
  { timeout: 480_000 },
  () => {
    let folder: TemporaryFolder;
    let program: Program;
    let browser: Browser;
    let desk: Visit;
    let url: string;

    beforeAll(async () => {
      folder = await temporaryFolder();
      program = startProgram(["run"], {
        BACKFILL_DATA_DIR: folder.path,
        BACKFILL_DAYS: "0",
        BACKFILL_BATCH_DELAY_MS: "400",
      });
      browser = await launchBrowser();
      await program.said("[BACKFILL] Status page: ");
      url = /Status page: (http:\S+)/.exec(program.stderr())?.[1] ?? "";
      desk = await visit(browser, url);
    }, 120_000);

    afterAll(async () => {
      await browser.close();
      program.child.kill("SIGTERM");
      await program.exited;
      await folder[Symbol.asyncDispose]();
    });

    async function status(): Promise<Snapshot> {
      const response = await fetch(`${url}/status.json`);
      const snapshot: Snapshot = JSON.parse(await response.text());
      return snapshot;
    }

    async function sql(text: string): Promise<void> {
      const databaseUrl = await findPostgresUrl(folder.path);
      await using database = await openTestDatabase(databaseUrl ?? "");
      await database.query(text, []);
    }

    it("begins empty, and starts by click", async () => {
      const { page } = desk;
      await page.locator("#state").filter({ hasText: "no run yet" }).waitFor();
      expect(await accessibilityFindings(page)).toEqual([]);
      await page.click("#start summary");
      await page.fill("#start-days", "1");
      await page.getByRole("button", { name: "Start", exact: true }).click();
      await page
        .locator("#notice")
        .filter({ hasText: /run \S+ is enqueued/ })
        .waitFor();
      await page.locator("#state .word.running").waitFor({ timeout: 60_000 });
      const { runId } = await status();
      await page
        .locator(".masthead")
        .filter({ hasText: "sample" })
        .filter({ hasText: runId ?? "?" })
        .waitFor();
    });

    it("shows the run as it goes on, at every width, in light and dark", async () => {
      const { page } = desk;
      await expect.poll(async () => (await status()).processed, PATIENCE).toBeGreaterThan(60);
      await expect.poll(() => numberIn(page, "#events .figure"), PATIENCE).toBeGreaterThan(20);
      for (const [width, height, colorScheme] of LOOKS) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        const { right, below } = await overflowOf(page);
        expect({ width, right, below: width < 1_100 ? 0 : below }).toEqual({ width, right: 0, below: 0 });
        expect(await accessibilityFindings(page)).toEqual([]);
      }
      await keepScreenshot(page, "status-running.png", "light");
    });

    it("pauses at once by click, and resumes by click", async () => {
      const { page } = desk;
      await page.click("#more summary");
      await page.click("#do-pause-now");
      await page.locator("#state .word.paused").waitFor();
      const { processed } = await status();
      expect(processed).toBeLessThan(EVENTS - 5);
      // Longer than two batches of the pace.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect((await status()).processed).toBe(processed);
      expect(await accessibilityFindings(page)).toEqual([]);
      await keepScreenshot(page, "status-paused-dark.png", "dark");
      // What was planned is void: from here on it is read and applied again.
      await sql(POISON);
      await page.click("#do-resume");
      await page.locator("#state .word.running").waitFor();
      // It is read again from what is applied for good: the count begins there, and moves.
      await expect.poll(async () => (await status()).processed, PATIENCE).not.toBe(processed);
    });

    it("is tuned, and says since when and by whom", async () => {
      const { page } = desk;
      await page.click("#tune summary");
      await page.fill("#tune-BACKFILL_BATCH_DELAY_MS", "200");
      await page.keyboard.press("Enter");
      await page.locator("#notice").filter({ hasText: "BACKFILL_BATCH_DELAY_MS 400 -> 200" }).waitFor();
      // Beside other programs the run may back off, by a factor that the status says.
      const tuned = async () => {
        const { allowedRatePerSecond, memory } = await status();
        return (allowedRatePerSecond ?? 0) * memory.backOff;
      };
      await expect.poll(tuned, PATIENCE).toBe(25);
      await page.locator("#settings tr", { hasText: "BACKFILL_BATCH_DELAY_MS" }).filter({ hasText: "tune" }).waitFor();
    });

    it("shows what died, and brings it back by click once its cause is mended", async () => {
      const { page } = desk;
      await page.locator("#do-redrive").waitFor({ timeout: 240_000 });
      await expect.poll(async () => (await status()).status, PATIENCE).toBe("succeeded");
      const before = await status();
      expect(before.dead).toBeGreaterThan(0);
      expect(before.processed + before.dead).toBe(EVENTS);
      // What a row died of stands on the page of dead events, one click away.
      await page.getByRole("link", { name: "show", exact: true }).click();
      await page.locator(".dead-event").filter({ hasText: "the disk says no" }).first().waitFor();
      expect(await accessibilityFindings(page)).toEqual([]);
      await page.getByRole("link", { name: "Back to the status page" }).click();
      await page.locator("#do-redrive").waitFor();
      await sql("DROP TRIGGER poison ON firehose.records");
      await page.click("#do-redrive");
      await page.locator("#notice").filter({ hasText: "back in the queue" }).waitFor();
      await expect
        .poll(async () => {
          const { processed, dead, queue } = await status();
          return { processed, dead, deadLetters: queue.deadLetters };
        }, PATIENCE)
        .toEqual({ processed: EVENTS, dead: 0, deadLetters: 0 });
    });

    it("cancels another run, but asks before", async () => {
      const { page } = desk;
      await page.locator("#start summary").click();
      await page.fill("#start-from", "oldest");
      await page.getByRole("button", { name: "Start", exact: true }).click();
      await page.locator("#cancel summary").click({ timeout: 60_000 });
      await page.getByText("Cancel this run?").waitFor();
      expect((await status()).status).not.toMatch(/cancel/);
      await page.click("#do-cancel");
      await page.locator("#state .word.cancelled").waitFor({ timeout: 60_000 });
    });

    it("never complained, and never asked anybody else", () => {
      expect(desk.complaints).toEqual([]);
    });
  },
);

async function numberIn(page: Page, selector: string): Promise<number> {
  return Number.parseInt((await page.locator(selector).innerText()).replaceAll(",", ""), 10);
}

async function keepScreenshot(page: Page, name: string, colorScheme: "light" | "dark"): Promise<void> {
  if (process.env["SCREENSHOTS"] === undefined) return;
  await page.setViewportSize({ width: 1_280, height: 800 });
  await page.emulateMedia({ colorScheme });
  // Without the answer to the last click.
  await page.reload();
  await page.screenshot({ path: fileURLToPath(new URL(`../../docs/assets/${name}`, import.meta.url)) });
}
