import { systemClock } from "@firehose-backfill/core/clock";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import { startFakePlc } from "@firehose-backfill/testing/repos/fake-plc";
import { loopbackNames } from "@firehose-backfill/testing/repos/http-server";
import { makeRepo, manyRecords } from "@firehose-backfill/testing/repos/test-repo";
import { expect, test } from "vitest";
import { repoSurveyor } from "./surveyor.ts";

const didOf = (index: number): string => `did:plc:${"abcdefghijklmnop".charAt(index).repeat(24)}`;

test("issue 15.6: a survey counts repositories, and estimates their records and the requests of each host from a few", async () => {
  const repos = Array.from({ length: 8 }, (_, index) =>
    makeRepo(manyRecords(400 + index, ["app.bsky.feed.post", "app.bsky.feed.like"]), { did: didOf(index) }),
  );
  await using plc = await startFakePlc();
  await using one = await startFakePds(repos);
  await using two = await startFakePds(repos);
  for (const [index, repo] of repos.entries()) plc.put(repo, index < 6 ? one.origin : two.origin);
  const surveyor = repoSurveyor({
    clock: systemClock,
    random: () => 0,
    userAgent: "test/1",
    resolveName: loopbackNames,
    plcUrl: plc.origin,
    hostRate: 1_000,
  });
  const scope = parseConfig({
    BACKFILL_SOURCE: "repos",
    BACKFILL_DIDS: repos.map(({ did }) => did).join(","),
    BACKFILL_COLLECTIONS: "app.bsky.feed.post",
  }).settings;
  const request = { scope, host: "test", start: { kind: "oldest" }, end: { kind: "caught-up" } } as const;
  const survey = await surveyor.survey(request, new AbortController().signal);
  expect(survey.repos).toMatchObject({ known: 8, isCounted: true, sampled: 8, unreadable: 0 });
  expect(survey.repos?.hosts.map(({ host, repositories }) => [host, repositories])).toEqual([
    [`localhost:${one.port}`, 6],
    [`localhost:${two.port}`, 2],
  ]);
  const total = (key: "events" | "matching") =>
    survey.stretches.reduce((sum, { sample }) => sum + (sample?.[key] ?? 0), 0);
  // From a dozen keys a repository: within a third for eight of them.
  expect(total("events")).toBeGreaterThan(3_228 * 0.6);
  expect(total("events")).toBeLessThan(3_228 * 1.7);
  expect(total("matching") / total("events")).toBeGreaterThan(0.3);
  expect(total("matching") / total("events")).toBeLessThan(0.7);
  expect(one.asked.length + two.asked.length).toBeLessThanOrEqual(8 * 4);
});
