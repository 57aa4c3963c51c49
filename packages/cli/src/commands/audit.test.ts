/** `audit`: what it asks for, what it prints, and how it ends. */
import type { AuditReport, RepoVerdict } from "@firehose-backfill/audit/report";
import { renderAudit } from "@firehose-backfill/audit/render-audit";
import type { AuditHereOptions } from "@firehose-backfill/server/audit-here";
import { testWorld } from "@firehose-backfill/testing/cli/world";
import { describe, expect, it } from "vitest";
import { main } from "../main.ts";

const REPORT: AuditReport = {
  audited: 2,
  equal: 2,
  behind: 0,
  differing: 0,
  unreachable: 0,
  inactive: 0,
  repos: [],
  confidence: null,
  scope: { repos: "all", collections: null },
  isComplete: true,
  after: "did:plc:b",
};

async function audit(
  argv: readonly string[],
  {
    report = {},
    env = {},
    during,
  }: {
    readonly report?: Partial<AuditReport>;
    readonly env?: Readonly<Record<string, string>>;
    readonly during?: (options: AuditHereOptions, signal: (name: "SIGINT") => void) => void;
  } = {},
) {
  await using world = await testWorld({ env, files: { "dids.txt": "did:plc:x\ndid:plc:y # mine\n" } });
  const asked: AuditHereOptions[] = [];
  const auditHere = async (options: AuditHereOptions) => {
    asked.push(options);
    during?.(options, world.signal);
    return { ...REPORT, isComplete: !options.signal.aborted, ...report };
  };
  const exitCode = await main(world.context(["audit", ...argv], { loadAuditor: async () => ({ auditHere }) }));
  return { exitCode, stdout: world.stdout(), stderr: world.stderr(), asked: asked[0] };
}

const FIFTY_ONE = Array.from({ length: 51 }, (_, index) => `app.example.c${index}`).join(",");

describe("issue 16.4: audit --repair", () => {
  const verdictOf = (did: string, verdict: RepoVerdict["verdict"]): RepoVerdict => {
    return { did, verdict, rev: null, copyRev: null, missing: [], extra: [], other: [], isCut: false, reason: null };
  };
  const FOUND = [
    verdictOf("did:plc:a", "equal"),
    verdictOf("did:plc:b", "differing"),
    verdictOf("did:plc:c", "behind"),
    verdictOf("did:plc:d", "unreachable"),
  ];

  async function repair(argv: readonly string[], env: Readonly<Record<string, string>> = {}, found = FOUND) {
    await using world = await testWorld({ env });
    const sent: unknown[] = [];
    const invoke = async (name: string, event: unknown) => {
      sent.push([name, event]);
      return { ok: true, message: "1 repository requested" };
    };
    const report = { ...REPORT, differing: 1, behind: 1 };
    const exitCode = await main(
      world.context(["audit", "--all", "--repair", "--function", "mine-control", ...argv], {
        loadInvoker: async () => ({ openInvoker: () => invoke }),
        loadAuditor: async () => ({
          auditHere: async ({ onVerdict }: AuditHereOptions) => {
            for (const verdict of found) onVerdict?.(verdict);
            return report;
          },
        }),
      }),
    );
    return { exitCode, sent, stderr: world.stderr(), stdout: world.stdout() };
  }

  it("requests what differs and what is behind, says so, and leaves the report and the exit code as they are", async () => {
    const { exitCode, sent, stderr, stdout } = await repair(["--json", "--collections", "app.bsky.feed.post"]);
    const collections = ["app.bsky.feed.post"];
    const dids = ["did:plc:b", "did:plc:c"];
    expect(sent).toEqual([["mine-control", { action: "resync", dids, reason: "audit", collections }]]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("audit: 1 repository requested");
    expect(JSON.parse(stdout)).toMatchObject({ differing: 1, behind: 1 });
  });

  it("from BACKFILL_VERIFY=chain on, what is behind is left to the next commits", async () => {
    const { sent, stderr } = await repair([], { BACKFILL_VERIFY: "chain" });
    expect(sent).toEqual([["mine-control", { action: "resync", dids: ["did:plc:b"], reason: "audit" }]]);
    expect(stderr).toContain("1 behind: their next commits show what is missing");
  });

  it("requests a thousand at a time, and nothing where all are equal", async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => verdictOf(`did:plc:${index}`, "differing"));
    expect((await repair([], {}, many)).sent).toHaveLength(2);
    const { sent, stderr } = await repair([], {}, []);
    expect(sent).toEqual([]);
    expect(stderr).toContain("nothing differs, so nothing was requested");
  });

  it("does not say that nothing differs where nothing could be compared", async () => {
    const away = ["did:plc:a", "did:plc:b"].map((did) => verdictOf(did, "unreachable"));
    const { sent, stderr } = await repair([], {}, away);
    expect(sent).toEqual([]);
    expect(stderr).toContain("audit: no repository could be compared, so nothing was requested");
    expect(stderr).not.toContain("nothing differs");
    const some = await repair([], {}, [verdictOf("did:plc:a", "equal"), verdictOf("did:plc:b", "unreachable")]);
    expect(some.stderr).toContain("nothing that could be compared differs, so nothing was requested");
  });
});

describe("nothing was compared", () => {
  const NONE = { audited: 0, equal: 0, after: null };

  it("an empty copy is no success: a wrong DATABASE_URL would be green every night", async () => {
    const { exitCode, stdout } = await audit(["--all"], { report: NONE });
    expect(stdout).toContain("This database has no repositories: nothing was compared. Is DATABASE_URL the right one?");
    expect(exitCode).toBe(1);
  });

  it("an audit that goes on behind the last repository is done", async () => {
    const { exitCode, stdout } = await audit(["--all", "--after", "did:plc:z"], {
      report: { ...NONE, after: "did:plc:z" },
    });
    expect(stdout).not.toContain("DATABASE_URL");
    expect(exitCode).toBe(0);
  });

  it("an audit that was stopped before its first repository does not say that there are none", async () => {
    const { stdout } = await audit(["--all"], { report: { ...NONE, isComplete: false } });
    expect(stdout).not.toContain("DATABASE_URL");
    expect(stdout).toContain("It was stopped");
  });

  it("a sample that is unreachable as a whole says nothing of the copy", async () => {
    const bound = { found: 0, atMost: 9, share: 1 };
    const confidence = { level: 0.95, of: 9, isExact: true, sampled: 0, differing: bound, notEqual: bound };
    const report = {
      audited: 5,
      equal: 0,
      unreachable: 5,
      confidence,
      scope: { repos: "sample", collections: null },
    } as const;
    const { exitCode, stdout } = await audit(["--sample", "5"], { report });
    expect(stdout).toContain("No repository could be compared, so this says nothing about the copy.");
    expect(stdout).not.toContain("100 %");
    expect(exitCode).toBe(1);
  });
});

describe("which repositories", () => {
  it("all, a sample, or a list", async () => {
    expect((await audit(["--all"])).asked).toMatchObject({
      repositories: { kind: "all" },
      collections: [],
      after: null,
    });
    expect((await audit(["--sample", "400"])).asked?.repositories).toEqual({ kind: "sample", size: 400 });
    const { asked } = await audit(["--dids", "@dids.txt", "--after", "did:plc:x", "--collections", "app.bsky.feed.*"]);
    expect(asked).toMatchObject({
      repositories: { kind: "named", dids: ["did:plc:x", "did:plc:y"] },
      after: "did:plc:x",
      collections: ["app.bsky.feed.*"],
    });
  });

  it("the collections of the settings count where none are named", async () => {
    const { asked } = await audit(["--all"], { env: { BACKFILL_COLLECTIONS: "app.bsky.feed.post" } });
    expect(asked?.collections).toEqual(["app.bsky.feed.post"]);
  });

  it.each([
    [[], "say which repositories"],
    [["--all", "--sample", "3"], "say which repositories"],
    [["--sample", "0"], "it takes a whole number"],
    [["--sample", "many"], "it takes a whole number"],
    [["--sample", "5", "--after", "did:plc:x"], "each sample is another one"],
    [["--all", "--after", "alice"], "it takes a DID"],
    [["--dids", "alice"], "--dids is"],
    [["--all", "--collections", "posts"], "--collections is"],
    [["--all", "--repair", "--collections", FIFTY_ONE], "at most 50 collections"],
  ])("%j: exit 2, and nothing is asked", async (argv, message) => {
    const { exitCode, stderr, asked } = await audit(argv);
    expect([exitCode, asked]).toEqual([2, undefined]);
    expect(stderr).toContain(message);
  });
});

describe("how it ends", () => {
  it.each([
    [{}, 0],
    [{ differing: 1 }, 3],
    [{ behind: 1 }, 3],
    [{ unreachable: 1 }, 0],
    [{ equal: 0, unreachable: 2 }, 1],
    [{ equal: 0, inactive: 2 }, 0],
  ])("issue 16.4: %j: exit %i", async (report, exitCode) => {
    expect((await audit(["--all"], { report })).exitCode).toBe(exitCode);
  });

  it("issue 16.4: prints the report, for people or as one line of JSON", async () => {
    expect((await audit(["--all"])).stdout).toBe(`${renderAudit(REPORT).join("\n")}\n`);
    const { stdout, stderr } = await audit(["--all", "--json"]);
    expect(JSON.parse(stdout)).toEqual(REPORT);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toBe("");
  });

  it("issue 16.4: Ctrl-C: what was found until then, where to continue, exit 130", async () => {
    const { exitCode, stdout, stderr } = await audit(["--all"], { during: (_, signal) => signal("SIGINT") });
    expect(exitCode).toBe(130);
    expect(stdout).toContain("To continue, repeat the command with --after did:plc:b.");
    expect(stderr).toContain("SIGINT");
  });

  it("says on standard error that it waits for production", async () => {
    const { stderr } = await audit(["--all"], {
      during: ({ onWaiting }) => onWaiting("throttle query: 3 > 0\u001b[2J"),
    });
    expect(stderr).toBe("audit: waiting until production is well: throttle query: 3 > 0\\u001b[2J\n");
  });
});
