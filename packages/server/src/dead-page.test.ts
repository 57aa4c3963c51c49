/** The page of dead events, as a browser without a script uses it: filter, pages, forms, and who may send them. */
import { UsageError } from "@firehose-backfill/core/errors";
import { emptyHistory } from "@firehose-backfill/status/history";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import type { DeadEvent, DeadEvents, ListDeadOptions } from "@firehose-backfill/sink/dead-events";
import { expect, test } from "vitest";
import { startHttpServer } from "./http-server.ts";

const RUN = "20261128-101500-k3f9";
const AT = "2026-03-01T00:00:00.000Z";
const idOf = (n: number) => `0123abcd-0000-8000-8000-${String(n).padStart(12, "0")}`;

function deadEvent(n: number, fields: Partial<DeadEvent> = {}): DeadEvent {
  return {
    id: idOf(n),
    runId: RUN,
    seq: n,
    did: "did:plc:a",
    path: `a.b.c/<b>${n}`,
    reason: "database-23514",
    error: `"<script>alert(1)</script>"`,
    payload: Uint8Array.of(0xff),
    createdAt: AT,
    redrivenAt: null,
    appliedAt: null,
    appliedBy: null,
    eventBytes: 9,
    event: null,
    ...fields,
  };
}

async function serve(kept: readonly DeadEvent[]) {
  const asked: ListDeadOptions[] = [];
  const events: unknown[] = [];
  const openDeadEvents = (): DeadEvents => ({
    claim: () => Promise.resolve([]),
    countUntriable: () => Promise.resolve(0),
    failedRepositories: () => Promise.resolve([]),
    handOver: () => Promise.resolve(),
    discard: () => Promise.resolve({}),
    async list(options) {
      asked.push(options);
      const from = options.after === undefined ? 0 : kept.findIndex(({ id }) => id === options.after?.id) + 1;
      return kept.filter(({ id }) => (options.id ?? id) === id).slice(from, from + options.limit);
    },
    countByReason: () => Promise.resolve({ "database-23514": kept.length, float: 1 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  const server = await startHttpServer({
    port: 0,
    snapshot: () => Promise.resolve(sampleSnapshot({ dead: 3, runId: RUN })),
    history: () => emptyHistory(RUN),
    openDeadEvents,
    async control(event) {
      events.push(event);
      if (JSON.stringify(event).includes(idOf(2))) throw new UsageError("was applied <before>");
      return { message: "it is <done>" };
    },
    log: () => {},
  });
  const get = async (path: string) => await (await fetch(`${server.url}${path}`)).text();
  const send = (body: URLSearchParams, origin = server.url) =>
    fetch(`${server.url}/control`, {
      method: "POST",
      redirect: "manual",
      body,
      headers: { accept: "text/html", origin, "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate" },
    });
  return { server, get, send, asked, events, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** The fields of each form that posts, as a browser sends them. */
function formsOf(page: string): readonly URLSearchParams[] {
  return [...page.matchAll(/<form method="post" action="\/control">(.*?)<\/form>/gs)].map(([, inside = ""]) => {
    const fields = [...inside.matchAll(/<(?:input|button)[^>]*\sname="([^"]+)"[^>]*\svalue="([^"]*)"/gs)];
    return new URLSearchParams(
      fields.map(([, name = "", value = ""]): [string, string] => [name, value.replaceAll("&amp;", "&")]),
    );
  });
}

test("issue 17.4: the desk's dead figure leads to the page, and nothing from the network is markup there", async () => {
  await using site = await serve([deadEvent(1), deadEvent(3, { appliedAt: AT, appliedBy: "1/0/9/0" })]);
  expect(await site.get("/")).toContain(`<a href="/dead?run=${RUN}">`);
  const response = await fetch(`${site.server.url}/dead?run=${RUN}`);
  expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
  const page = await response.text();
  expect(page).not.toMatch(/<script|<b>1/);
  expect(page).toContain("&lt;script&gt;alert(1)");
  expect(page).toContain("never redriven");
  expect(page).toContain("by batch 1/0/9/0");
  expect(page).toContain("&quot;base64&quot;: &quot;/w==&quot;");
  expect(site.asked[0]).toMatchObject({ runId: RUN, withApplied: false });
});

test("issue 17.4: it filters, and pages through all of them", async () => {
  await using site = await serve(Array.from({ length: 60 }, (_, n) => deadEvent(n + 1)));
  let path = `/dead?run=${RUN}&reason=database-23514&applied=1`;
  const seen: string[] = [];
  for (let pages = 0; pages < 5 && path !== ""; pages += 1) {
    const page = await site.get(path);
    seen.push(...[...page.matchAll(/id="of-([^"]+)"/g)].map(([, id = ""]) => id));
    path = (/class="button" href="([^"]+)">\s*Next page/.exec(page)?.[1] ?? "").replaceAll("&amp;", "&");
  }
  expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => idOf(n + 1)));
  expect(site.asked.map(({ reason, withApplied }) => [reason, withApplied])).toEqual(
    Array.from({ length: 3 }, () => ["database-23514", true]),
  );
  expect(await site.get("/dead?after=nonsense&id=1%27&reason=%00")).toContain(idOf(1));
});

test("issue 17.4: each form redrives or discards, and its answer is on the page that it was on", async () => {
  await using site = await serve([deadEvent(1), deadEvent(2), deadEvent(4, { eventBytes: null })]);
  const path = `/dead?run=${RUN}&reason=database-23514`;
  const forms = formsOf(await site.get(path));
  for (const form of forms) {
    const sent = await site.send(form);
    expect([sent.status, sent.headers.get("location")?.startsWith(`${path}&answer=`)]).toEqual([303, true]);
    const shown = await site.get(sent.headers.get("location") ?? "");
    expect(shown).toContain(String(form).includes(idOf(2)) ? "was applied &lt;before&gt;" : "it is &lt;done&gt;");
  }
  expect(site.events).toEqual([
    { action: "redrive", reason: "database-23514", run: RUN },
    { action: "discard", reason: "database-23514", run: RUN },
    { action: "redrive", id: idOf(1) },
    { action: "discard", id: idOf(1) },
    { action: "redrive", id: idOf(2) },
    { action: "discard", id: idOf(2) },
    { action: "discard", id: idOf(4) },
  ]);
  expect((await site.send(forms[0] ?? new URLSearchParams(), "https://evil.example")).status).toBe(403);
  expect(site.events).toHaveLength(7);
});

test("issue 17.4: an answer is never shown on a page that is not ours", async () => {
  await using site = await serve([]);
  for (const back of ["//evil.example", "https://evil.example", "/dead/../x", "/deadly", "/dead?a=b\r\nx: y"]) {
    const sent = await site.send(new URLSearchParams({ action: "redrive", back }));
    expect(sent.headers.get("location")).toMatch(/^\/\?answer=/);
  }
});

test("issue 17.4: one event alone, whole", async () => {
  await using site = await serve([deadEvent(1), deadEvent(2)]);
  const page = await site.get(`/dead?id=${idOf(2)}`);
  expect(page).toMatch(/<details open/);
  expect(page).not.toContain(idOf(1));
  expect(await site.get(`/dead?id=${idOf(9)}`)).toContain("No dead event has this id");
});

test("issue 17.4: without a filter all that is dead is redriven or discarded, and of a reason without events nothing", async () => {
  await using site = await serve([deadEvent(1)]);
  const actsOf = async (path: string) =>
    formsOf(await site.get(path)).flatMap((form) => (form.has("id") ? [] : [[form.get("action"), form.get("reason")]]));
  expect(await actsOf(`/dead?run=${RUN}`)).toEqual([
    ["redrive", null],
    ["discard", null],
  ]);
  expect(await actsOf("/dead?reason=float")).toEqual([
    ["redrive", "float"],
    ["discard", "float"],
  ]);
  expect(await site.get("/dead?reason=float")).toMatch(/Redrive these 1\b/);
  expect(await actsOf("/dead?reason=unheard-of")).toEqual([]);
});

test("issue 17.4: where the page reaches no database, it links to nothing and says how dead events are listed", async () => {
  await using server = await startHttpServer({
    port: 0,
    snapshot: () => Promise.resolve(sampleSnapshot({ dead: 3, runId: RUN })),
    history: () => emptyHistory(RUN),
    control: async () => ({ message: "done" }),
    log: () => {},
  });
  const page = await (await fetch(server.url)).text();
  expect(page).not.toContain("/dead");
  expect(page).toContain("<code>firehose-backfill dead</code>, with the DATABASE_URL of the run");
});
