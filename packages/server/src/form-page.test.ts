/** The page without a script: in every state of a run each of its forms is sent as a browser sends it, and answered by the page. */
import { RUN_STATUSES } from "@firehose-backfill/core/run-state";
import { UsageError } from "@firehose-backfill/core/errors";
import { emptyHistory } from "@firehose-backfill/status/history";
import { sampleEmptySnapshot, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import { expect, test } from "vitest";
import { startHttpServer } from "./http-server.ts";

interface Form {
  readonly action: string;
  readonly body: string;
}

/** The fields that a browser would send: hidden fields, the submit button, and a value in each required field. */
function formsOf(page: string): readonly Form[] {
  return [...page.matchAll(/<form method="post" action="\/control">(.*?)<\/form>/gs)].flatMap(([, inside = ""]) => {
    if (/<button[^>]*disabled/.test(inside)) return [];
    const fields = [...inside.matchAll(/<(?:input|button)[^>]*>/g)].flatMap(([tag]) => {
      const name = /\sname="([^"]+)"/.exec(tag)?.[1];
      const value = /\svalue="([^"]*)"/.exec(tag)?.[1] ?? (tag.includes("required") ? "oldest" : "");
      return name === undefined || tag.includes("checkbox") ? [] : [[name, value] as [string, string]];
    });
    const body = new URLSearchParams(fields);
    return [{ action: body.get("action") ?? "", body: body.toString() }];
  });
}

async function serve(snapshot: Snapshot, control: (event: unknown) => Promise<{ message: string }>) {
  const history = () => emptyHistory("run-1");
  return startHttpServer({ port: 0, snapshot: () => Promise.resolve(snapshot), history, control, log: () => {} });
}

function send(url: string, body: string): Promise<Response> {
  return fetch(`${url}/control`, {
    method: "POST",
    redirect: "manual",
    body,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "text/html,application/xhtml+xml",
      origin: url,
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "navigate",
    },
  });
}

const WANTED: Readonly<Record<Snapshot["status"], readonly string[]>> = {
  none: ["start"],
  enqueued: ["pause", "pause-now", "tick", "tune", "cancel"],
  running: ["pause", "pause-now", "tick", "tune", "cancel"],
  pausing: ["resume", "resume", "pause-now", "tick", "tune", "cancel"],
  paused: ["resume", "resume", "tune", "cancel"],
  cancelling: ["tick"],
  cancelled: ["start"],
  succeeded: ["start"],
  errored: ["resume", "resume", "tune", "cancel"],
};

test.each(["none", ...RUN_STATUSES] as const)(
  "fault 29: every form of a run that is %s works without a script",
  async (status) => {
    const events: unknown[] = [];
    const snapshot = status === "none" ? sampleEmptySnapshot() : sampleSnapshot({ status });
    await using server = await serve(snapshot, (event) => {
      events.push(event);
      return Promise.resolve({ message: `did <it>: ${events.length}` });
    });
    const page = await fetch(server.url);
    expect(page.headers.get("referrer-policy")).toBe("same-origin");
    const forms = formsOf(await page.text()).filter(({ action }) => action !== "redrive");
    expect(forms.map(({ action }) => action).toSorted()).toEqual(WANTED[status].toSorted());
    for (const [index, { body }] of forms.entries()) {
      const sent = await send(server.url, body);
      expect(sent.status).toBe(303);
      const shown = await fetch(new URL(sent.headers.get("location") ?? "", server.url));
      expect([shown.status, shown.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
      expect(await shown.text()).toContain(`did &lt;it&gt;: ${index + 1}`);
    }
    expect(events).toHaveLength(forms.length);
  },
);

test.each([
  [
    "is refused by the run's state",
    () => Promise.reject(new UsageError("there is no run to cancel")),
    "there is no run to cancel",
  ],
  ["fails", () => Promise.reject(new Error("the table is away")), "the table is away"],
])("fault 29: a form that %s is answered by the page, and says why", async (_name, control, why) => {
  await using server = await serve(sampleSnapshot(), control);
  const sent = await send(server.url, "action=cancel");
  const shown = await (await fetch(new URL(sent.headers.get("location") ?? "", server.url))).text();
  expect(sent.status).toBe(303);
  expect(shown).toMatch(/<p id="notice" class="notice failed"[^>]*>/);
  expect(shown).toContain(why);
});

test("fault 29: a form that is too large as well", async () => {
  await using server = await serve(sampleSnapshot(), () => Promise.resolve({ message: "done" }));
  const sent = await send(server.url, `action=start&dids=${"x".repeat(1024 * 1024)}`);
  const shown = await (await fetch(new URL(sent.headers.get("location") ?? "", server.url))).text();
  expect(shown).toContain("a control event has at most");
});

test("fault 29: no link can put words into the page, and what was answered is not kept for ever", async () => {
  await using server = await serve(sampleSnapshot(), () => Promise.resolve({ message: "done" }));
  expect(await (await fetch(`${server.url}/?answer=Call+this+number`)).text()).not.toContain("Call");
  const first = (await send(server.url, "action=pause")).headers.get("location") ?? "";
  for (let sent = 0; sent < 20; sent += 1) await send(server.url, "action=pause");
  expect(await (await fetch(new URL(first, server.url))).text()).toMatch(/role="status"><\/p>/);
});

test("fault 29: without a script it reloads itself, unless it is asked to stand still", async () => {
  await using server = await serve(sampleSnapshot(), () => Promise.resolve({ message: "done" }));
  const pages = await Promise.all(["/", "/?still"].map(async (path) => (await fetch(`${server.url}${path}`)).text()));
  expect(pages.map((page) => page.includes('http-equiv="refresh"'))).toEqual([true, false]);
});
