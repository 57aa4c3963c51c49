import { systemClock } from "@firehose-backfill/core/clock";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { loopbackNames } from "@firehose-backfill/testing/repos/http-server";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { expect, test } from "vitest";
import { checkRepos } from "./check-repos.ts";

const repo = makeRepo(manyRecords(3, ["app.bsky.feed.post"]));

async function check(
  plcUrl: string,
  source: "relay" | "repos" | "both" | "handles",
  dids: readonly string[] = [repo.did],
  handles = false,
) {
  const settings = { source, plcUrl, dids, hostRate: 8, handles };
  const { signal } = new AbortController();
  const how = { clock: systemClock, random: () => 0, userAgent: "test/1", resolveName: loopbackNames, signal };
  const checks = await checkRepos({ settings, ...how });
  return checks.map(({ name, verdict, finding }) => [name, verdict, finding]);
}

test("issue 15.7: doctor asks the directory, and the host of the first account", async () => {
  await using plc = await startFakePlc();
  await using pds = await startFakePds([repo]);
  plc.put(repo, pds.origin);
  const host = `localhost:${pds.port}`;
  expect(await check(plc.origin, "relay")).toEqual([]);
  expect(plc.asked).toEqual([]);
  expect(await check(plc.origin, "both")).toEqual([
    ["directory", "ok", `${plc.origin} answers`],
    ["repositories", "ok", `${host} has ${repo.did} at revision ${repo.rev}`],
  ]);
  pds.unavailable.set(repo.did, "RepoTakendown");
  expect((await check(plc.origin, "repos"))[1]).toEqual([
    "repositories",
    "ok",
    `${host} answers; ${repo.did} is takendown there`,
  ]);
  pds.intercept = (request) => (request.socket.destroy(), true);
  expect((await check(plc.origin, "repos"))[1]?.slice(0, 2)).toEqual(["repositories", "warn"]);
  expect((await check(plc.origin, "repos", ["did:plc:nobodynobodynobodynobody"]))[1]?.[1]).toBe("warn");
  plc.isDown = true;
  expect((await check(plc.origin, "repos")).map(([name, verdict]) => [name, verdict])).toEqual([["directory", "fail"]]);
});

test("issue 17.7: doctor asks the directory where handles are looked up, and no host of repositories", async () => {
  await using plc = await startFakePlc();
  const answers = [["directory", "ok", `${plc.origin} answers`]];
  expect(await check(plc.origin, "relay", [], true)).toEqual(answers);
  expect(await check(plc.origin, "handles", [])).toEqual(answers);
  plc.isDown = true;
  expect(await check(plc.origin, "handles", [])).toMatchObject([
    ["directory", "fail", expect.stringContaining("HTTP 503")],
  ]);
});
