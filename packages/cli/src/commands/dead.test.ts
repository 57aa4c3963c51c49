/** `dead` and `discard`: what they ask for, what they print, and how they end; the database is made up. */
import type { DeadEvent, ListDeadOptions } from "@firehose-backfill/sink/dead-events";
import type { RecordEvent } from "@firehose-backfill/core/event";
import { encode } from "@ipld/dag-cbor";
import { testWorld } from "@firehose-backfill/testing/cli/world";
import { describe, expect, it } from "vitest";
import { main } from "../main.ts";

const ID = "0123abcd-0000-8000-8000-000000000001";
const AT = "2026-03-01T00:00:00.000Z";
const ESC = String.fromCodePoint(27);

function deadEvent(fields: Partial<DeadEvent> = {}): DeadEvent {
  return {
    id: ID,
    runId: "20261128-101500-k3f9",
    seq: 7,
    did: "did:plc:a",
    path: "a.b.c/d",
    reason: "database-23514",
    error: `refused\n${ESC}[31mred`,
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

async function dead(argv: readonly string[], kept: readonly DeadEvent[]) {
  await using world = await testWorld();
  const asked: ListDeadOptions[] = [];
  const openDeadHere = async () => ({
    async list(options: ListDeadOptions) {
      asked.push(options);
      if (options.reason === "no-such-reason") return [];
      const from = options.after === undefined ? 0 : kept.findIndex(({ id }) => id === options.after?.id) + 1;
      return kept.slice(from, from + options.limit);
    },
    countByReason: async () => (kept.length === 0 ? {} : { "database-23514": kept.length }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  const exitCode = await main(world.context(["dead", ...argv], { loadDeadEvents: async () => ({ openDeadHere }) }));
  return { exitCode, stdout: world.stdout(), stderr: world.stderr(), asked };
}

describe("dead", () => {
  it("says that no event has the reason, beside the reasons that there are", async () => {
    const { stderr } = await dead(["--reason", "no-such-reason"], [deadEvent({})]);
    expect(stderr).toBe("No dead event has the reason no-such-reason.\n1 dead: database-23514 1\n");
  });

  it("issue 17.4: lists why, whose, and what happened before, with everything from the network escaped", async () => {
    const { exitCode, stdout, stderr } = await dead(
      [],
      [
        deadEvent({ redrivenAt: AT }),
        deadEvent({ appliedAt: AT, appliedBy: "1/0/9/0" }),
        deadEvent({ eventBytes: null, did: null, path: null, seq: 0 }),
      ],
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${ID}  20261128-101500-k3f9  database-23514  seq 7  did:plc:a  a.b.c/d\n`);
    expect(stdout).toContain(String.raw`refused\n\u001b[31mred`);
    expect(stdout).not.toContain(ESC);
    expect(stdout).toMatch(/redriven .*, not applied\n/);
    expect(stdout).toMatch(/applied .* by batch 1\/0\/9\/0\n/);
    expect(stdout).toContain("cannot be redriven, because no complete event was received\n");
    expect(stderr).toContain("3 dead: database-23514 3");
    expect((await dead([], [])).stderr).toContain("No event is dead.");
  });

  it("issue 17.4: shows an event as JSON: a record where it decodes, otherwise base64", async () => {
    const event: RecordEvent = {
      kind: "record",
      action: "create",
      seq: 7,
      timeMs: 0,
      did: "did:plc:a",
      collection: "a.b.c",
      rkey: "d",
      rev: "3l",
      cid: null,
      record: encode({ text: `a${ESC}\u{202e}` }),
    };
    const bad = deadEvent({ event: { ...event, record: Uint8Array.of(0xff, 1) } });
    const { stdout } = await dead(
      ["--json"],
      [deadEvent({ event }), bad, deadEvent({ payload: Buffer.from('{"a":1}') })],
    );
    expect(stdout).not.toContain(ESC);
    expect(stdout).not.toContain("\u{202e}");
    const [good, undecoded, none] = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(good).toMatchObject({
      id: ID,
      canBeRedriven: true,
      event: { time: "1970-01-01T00:00:00.000Z", record: { text: `a${ESC}\u{202e}` } },
    });
    expect(undecoded).toMatchObject({ event: { record: { base64: "/wE=", bytes: 2 } } });
    expect(none).toMatchObject({ event: null, payload: { a: 1 } });
  });

  it("issue 17.4: filters, pages through all of them, and shows one whole", async () => {
    const many = Array.from({ length: 120 }, (_, n) =>
      deadEvent({ id: `0123abcd-0000-8000-8000-${String(n).padStart(12, "0")}`, seq: n }),
    );
    const all = await dead(["--json", "--reason", "float", "--run", "20261128-101500-k3f9"], many);
    expect(all.stdout.trim().split("\n")).toHaveLength(120);
    expect(all.asked[0]).toMatchObject({ reason: "float", runId: "20261128-101500-k3f9", maxEventBytes: 65_536 });
    expect((await dead(["--limit", "70"], many)).stdout.trim().split("\n")).toHaveLength(210);
    const one = await dead(["--id", ID], [deadEvent()]);
    expect(one.asked[0]).toMatchObject({ id: ID, withApplied: true });
    expect(JSON.parse(one.stdout)).toMatchObject({ id: ID });
  });

  it("issue 17.4: refuses what it cannot look for", async () => {
    expect(await dead(["--id", "7"], [])).toMatchObject({ exitCode: 2, stdout: "" });
    expect(await dead(["--id", ID], [])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`no dead event has the id ${ID}`),
    });
    expect((await dead(["--limit", "0"], [])).exitCode).toBe(2);
    expect((await dead(["--run", "mine"], [])).stderr).toContain("no run has the id or the name mine");
  });
});

describe("discard", () => {
  it.each([[[]], [["--id", ID, "--all"]], [["--reason", "float", "--all"]]])(
    "issue 17.4: takes one of id, reason and all, not %j",
    async (argv) => {
      await using world = await testWorld();
      expect(await main(world.context(["discard", ...argv]))).toBe(2);
      expect(world.stderr()).toContain("discard: say which, with one of --id ID, --reason REASON and --all");
    },
  );
});
