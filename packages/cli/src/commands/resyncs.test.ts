/** `resync` and `resyncs`: what they send, what they print, and how they end. */
import { testWorld } from "@firehose-backfill/testing/cli/world";
import { expect, it } from "vitest";
import { main } from "../main.ts";

const REQUEST = {
  did: "did:plc:a",
  reason: "audit",
  rev: null,
  at: "2026-11-28T12:00:00.000Z",
  state: "held",
  run: "r",
};

async function run(argv: readonly string[], answer: object) {
  await using world = await testWorld({ files: { "dids.txt": "did:plc:x\ndid:plc:y\n" } });
  const sent: unknown[] = [];
  const invoke = async (_: string, event: unknown) => {
    sent.push(event);
    return answer;
  };
  const exitCode = await main(world.context(argv, { loadInvoker: async () => ({ openInvoker: () => invoke }) }));
  return { exitCode, sent, stdout: world.stdout(), stderr: world.stderr() };
}

const ON = ["--function", "mine-control"];

it("issue 16.2: resyncs lists all requests, for people and for scripts", async () => {
  const answer = { ok: true, message: "", resyncs: { done: 4, requests: [REQUEST] } };
  const text = await run(["resyncs", ...ON], answer);
  expect(text.sent).toEqual([{ action: "resyncs" }]);
  expect(text.stdout).toBe("did:plc:a  audit  since 2026-11-28 12:00:00  held (run r)\n");
  expect(text.stderr).toContain("1 repository has to be read anew; 4 were read");
  expect(text.stderr).toContain("Request it again with: firehose-backfill resync --dids DID");
  const json = await run(["resyncs", "--json", ...ON], answer);
  expect([json.exitCode, JSON.parse(json.stdout)]).toEqual([0, REQUEST]);
});

it("issue 16.2: an answer that is no list, or a refusal, is an error", async () => {
  expect(await run(["resyncs", ...ON], { ok: true, message: "ok" })).toMatchObject({ exitCode: 1, stdout: "" });
  const refused = await run(["resync", "--dids", "did:plc:a", ...ON], { ok: false, message: "no", isMalformed: true });
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("no") });
});

it("issue 16.2: resync requests what it is given, by hand or from a file", async () => {
  const { sent, stdout, exitCode } = await run(["resync", "--dids", "@dids.txt", ...ON], { ok: true, message: "done" });
  expect(sent).toEqual([{ action: "resync", dids: ["did:plc:x", "did:plc:y"], reason: "operator" }]);
  expect([exitCode, stdout]).toEqual([0, "done\n"]);
  expect(await run(["resync", ...ON], {})).toMatchObject({ exitCode: 2, sent: [] });
});

it("issue 16.2: without a process and without a run there is nothing to ask", async () => {
  expect(await run(["resyncs"], {})).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("name the folder with BACKFILL_DATA_DIR, or a deployed function"),
  });
});
