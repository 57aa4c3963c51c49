/** A real browser for tests, and what it has to complain about. Debian's Chromium; tests are skipped where there is none. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const CHROMIUM: string | undefined = PATHS.find((path) => existsSync(path));

/** Width, height and colours that the page is looked at in. */
export const LOOKS = [
  [320, 640, "dark"],
  [768, 1_024, "light"],
  [1_280, 800, "dark"],
  [1_280, 800, "light"],
] as const;

export async function launchBrowser(): Promise<Browser> {
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", ...quiet];
  return await chromium.launch({ executablePath: CHROMIUM ?? "", args });
}

export interface Visit {
  readonly page: Page;
  /** What the browser said in its console, threw, or asked of anybody but the page's own server. */
  readonly complaints: readonly string[];
}

export async function visit(
  browser: Browser,
  url: string,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<Visit> {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 800 }, ...options });
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(request.url());
  });
  await page.goto(url);
  return { page, complaints };
}

/** How far the page reaches beyond the window, in pixels. */
export function overflowOf(page: Page): Promise<{ readonly right: number; readonly below: number }> {
  return page.evaluate(
    "({ right: document.documentElement.scrollWidth - innerWidth, below: document.documentElement.scrollHeight - innerHeight })",
  );
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds, `rule: elements`; empty is well. */
export async function accessibilityFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  // An expression, because axe is a global of the page alone.
  return await page.evaluate(
    "axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target)}`))",
  );
}
