import { expect, it } from "vitest";
import { renderAudit } from "./render-audit.ts";
import { MAX_REPOS, ReportBuilder } from "./report.ts";
import type { RepoVerdict, Verdict } from "./verdict.ts";

const repo = (did: string, verdict: Verdict, fields: Partial<RepoVerdict> = {}): RepoVerdict => ({
  did,
  verdict,
  rev: "3l2",
  copyRev: "3l1",
  missing: [],
  extra: [],
  other: [],
  isCut: false,
  reason: null,
  ...fields,
});
const rest = {
  scope: { repos: "all", collections: null },
  isComplete: true,
  after: null,
  population: { count: 41_200, isExact: true },
} as const;
const paths = (count: number) => Array.from({ length: count }, (_, index) => `a.b.c/${index}`);

it("issue 16.4: counts all, and keeps the first thousand that are not equal, the ones that differ before the others", () => {
  const builder = new ReportBuilder();
  for (let index = 0; index < 1_500; index++)
    builder.add(repo(`did:plc:${String(index).padStart(4, "0")}`, "inactive"));
  builder.add(repo("did:plc:z", "differing", { missing: ["a.b.c/d"] }));
  builder.add(repo("did:plc:y", "behind"));
  builder.add(repo("did:plc:x", "equal"));
  const report = builder.build(rest);
  expect(report).toMatchObject({ audited: 1_503, equal: 1, behind: 1, differing: 1, unreachable: 0, inactive: 1_500 });
  expect(report.repos).toHaveLength(MAX_REPOS);
  expect(report.repos.slice(-2).map(({ did }) => did)).toEqual(["did:plc:y", "did:plc:z"]);
  expect(report.confidence).toBeNull();
});

it("its size is bounded, whatever differs", () => {
  const builder = new ReportBuilder();
  for (let index = 0; index < 1_000; index++)
    builder.add(repo(`did:plc:${index}`, "differing", { missing: paths(1_000) }));
  const report = builder.build(rest);
  expect(report.repos.reduce((sum, { missing }) => sum + missing.length, 0)).toBe(100_000);
  expect(report.repos.filter(({ isCut }) => isCut)).toHaveLength(900);
});

it("issue 16.4: a sample says what it means for the whole; one that was stopped says nothing", () => {
  const builder = new ReportBuilder();
  for (let index = 0; index < 400; index++)
    builder.add(repo(`did:plc:${index}`, index < 398 ? "equal" : "unreachable"));
  const sample = { ...rest, scope: { repos: "sample", collections: ["a.b.c"] } } as const;
  const report = builder.build(sample);
  expect(report.confidence).toMatchObject({
    level: 0.95,
    of: 41_200,
    sampled: 398,
    differing: { found: 0, atMost: 307 },
  });
  expect(renderAudit(report).join("\n")).toContain(
    "Of 41,200 repositories at most 0.75 % differ, with 95 % confidence: of 398 that were compared 0 did.",
  );
  expect(builder.build({ ...sample, isComplete: false }).confidence).toBeNull();
});

it("as text: what differs, why, and what is said of nothing; nothing of it can steer a terminal", () => {
  const builder = new ReportBuilder();
  builder.add(repo("did:plc:a", "equal"));
  builder.add(repo("did:plc:b", "differing", { missing: paths(12), extra: ["a.b.c/x\u001b[2J"], isCut: true }));
  builder.add(repo("did:plc:c", "unreachable", { rev: null, copyRev: null, reason: "nobody there\nat all" }));
  const report = builder.build({
    ...rest,
    scope: { repos: "all", collections: ["a.b.c", "a.b.d"] },
    isComplete: false,
    after: "did:plc:c",
  });
  expect(renderAudit(report)).toEqual([
    "3 repositories audited (all of the copy). Compared: a.b.c, a.b.d. Nothing is said of other collections.",
    "  equal        1",
    "  behind       0",
    "  differing    1",
    "  unreachable  1",
    "  inactive     0",
    "",
    "differing  did:plc:b at revision 3l2; the copy is at 3l1",
    ...paths(10).map((path) => `  missing  ${path}`),
    "  missing  … and 2 more",
    "  extra    a.b.c/x\\u001b[2J",
    "  There may be more.",
    "",
    "unreachable  did:plc:c: nobody there\\nat all",
    "",
    "It was stopped. To continue, repeat the command with --after did:plc:c.",
  ]);
});
