/**
 * `npm run test:aws`: the whole program on AWS, in a stage that is thrown away. It needs credentials in the environment, a
 * region, and in AWS_TEST_DATABASE_URL an empty database that AWS and this machine reach. docs/operations.md, "Prove it on
 * AWS", says what it costs and how to look that nothing is left.
 *
 *   --relay URL          default wss://bsky.network
 *   --collections LIST   default app.bsky.graph.block: a few events a second
 *   --from, --to         default: 20 and 10 minutes ago
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { play } from "../test/aws/play.ts";
import { runStep } from "./run-step.ts";

const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    relay: { type: "string", default: "wss://bsky.network" },
    collections: { type: "string", default: "app.bsky.graph.block" },
    from: { type: "string" },
    to: { type: "string" },
  },
});
const problems = missing();
if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  process.exit(2);
}
const stage = `try${randomBytes(3).toString("hex")}`;
console.error(`Stage ${stage}. If this is cut off: npx sst remove --stage ${stage}`);
try {
  await play({
    stage,
    relayUrl: values.relay,
    databaseUrl: process.env["AWS_TEST_DATABASE_URL"] ?? "",
    collections: values.collections === "" ? null : values.collections,
    from: values.from ?? minutesAgo(20),
    to: values.to ?? minutesAgo(10),
    env: awsEnvironment(),
    sst: async (args, env) => {
      Object.assign(process.env, env);
      const { code } = await runStep("sst", args, { isForAws: true });
      if (code !== 0) throw new Error(`sst ${args[0]} ended with ${code}`);
    },
    say: (line) => console.log(line),
    lookEveryMs: 5_000,
    atMostMs: 20 * MINUTE_MS,
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function missing(): readonly string[] {
  const { AWS_PROFILE: profile, AWS_ACCESS_KEY_ID: key, AWS_REGION: region, AWS_TEST_DATABASE_URL: url } = process.env;
  return [
    ...(profile === undefined && key === undefined ? ["No credentials: set AWS_PROFILE, or keys."] : []),
    ...(region === undefined ? ["No region: set AWS_REGION."] : []),
    ...(url === undefined ? ["No database: set AWS_TEST_DATABASE_URL to an empty one that AWS reaches."] : []),
  ];
}

/** What the program may know of this machine's environment: how to sign calls. */
function awsEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => name.startsWith("AWS_"));
  return Object.fromEntries(own.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

function minutesAgo(minutes: number): string {
  return new Date(Date.now() - minutes * MINUTE_MS).toISOString();
}
