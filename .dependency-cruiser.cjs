/** The layer rule of docs/architecture.md, written down once. Imports go downwards only; siblings do not know each other. */
const FLOORS = {
  core: [],
  throttle: ["core"],
  source: ["core"],
  firehose: ["core", "source"],
  repos: ["core", "source"],
  queue: ["core", "throttle"],
  checkpoint: ["core", "throttle", "source"],
  sink: ["core"],
  "sink-postgres": ["core", "throttle", "sink"],
  backfill: ["core", "throttle", "source", "queue", "checkpoint", "sink"],
  audit: ["core", "repos", "sink"],
  status: ["core", "throttle", "source", "queue", "checkpoint", "sink", "backfill"],
  embedded: ["core"],
  server: [
    "core",
    "throttle",
    "source",
    "firehose",
    "repos",
    "queue",
    "checkpoint",
    "sink",
    "sink-postgres",
    "backfill",
    "audit",
    "status",
    "embedded",
  ],
  cli: [
    "core",
    "throttle",
    "source",
    "queue",
    "checkpoint",
    "sink",
    "backfill",
    "audit",
    "status",
    "embedded",
    "server",
  ],
};

/** Third parties that one package alone may import. */
const OWNERS = {
  "cbor-x": ["core"],
  "@aws-sdk/client-sqs": ["queue", "embedded"],
  "@aws-sdk/client-dynamodb": ["checkpoint", "embedded"],
  "@neondatabase/serverless": ["sink-postgres"],
  ws: ["firehose", "embedded"],
  fauxqs: ["embedded"],
  dynalite: ["embedded"],
  "prom-client": ["server"],
};

/** Tests, and the package of what only tests use. */
const TESTS = "\\.test\\.ts$|^packages/testing/";

module.exports = {
  forbidden: [
    ...Object.entries(FLOORS).map(([name, below]) => ({
      name: `floor-${name}`,
      severity: "error",
      comment: `packages/${name} may import ${below.length === 0 ? "no other package" : below.join(", ")}`,
      from: { path: `^packages/${name}/`, pathNot: TESTS },
      to: { path: "^packages/", pathNot: `^packages/(${[name, ...below].join("|")})/` },
    })),
    ...Object.entries(OWNERS).map(([dependency, owners]) => ({
      name: `owner-${dependency}`,
      severity: "error",
      comment: `${dependency} is imported by ${owners.join(" and ")} only`,
      from: { path: "^(packages|functions|infra)/", pathNot: [`^packages/(${owners.join("|")})/`, TESTS] },
      to: { path: `^node_modules/${dependency}/` },
    })),
    {
      name: "nothing-imports-the-edges",
      severity: "error",
      comment: "functions, infra, cli and test compose; nothing imports them",
      from: { path: "^packages/", pathNot: ["^packages/cli/", TESTS] },
      to: { path: "^(functions|infra|test|bench|packages/cli)/" },
    },
    {
      name: "sink-is-opened",
      severity: "error",
      comment: "outside sink-postgres a composition root names openSink, in one file, and nobody imports anything else",
      from: { path: "^(packages|functions|infra)/", pathNot: ["^packages/sink-postgres/", TESTS] },
      to: { path: "^packages/sink-postgres/", pathNot: "^packages/sink-postgres/src/open-sink\\.ts$" },
    },
    {
      name: "sink-is-named-once",
      severity: "error",
      comment: "the composition roots are packages/server/src/open-sink.ts and functions/shared/open-sink.ts",
      from: {
        path: "^(packages|functions|infra)/",
        pathNot: [
          "^packages/sink-postgres/",
          "^packages/server/src/open-sink\\.ts$",
          "^functions/shared/open-sink\\.ts$",
          TESTS,
        ],
      },
      to: { path: "^packages/sink-postgres/" },
    },
    {
      name: "sources-are-named-once",
      severity: "error",
      comment:
        "a composition root names its sources in packages/server/src/open-sources.ts or functions/shared/open-sources.ts",
      from: {
        path: "^(packages|functions|infra)/",
        pathNot: [
          "^packages/firehose/",
          "^packages/server/src/open-sources\\.ts$",
          "^functions/shared/open-sources\\.ts$",
          TESTS,
        ],
      },
      to: { path: "^packages/firehose/src/(kit|surveyor)\\.ts$" },
    },
    {
      name: "testing-is-for-tests",
      severity: "error",
      comment: "packages/testing is imported by tests, benchmarks and itself only",
      from: { path: "^(packages|functions|infra|scripts)/|^sst\\.config\\.ts$", pathNot: TESTS },
      to: { path: "^packages/testing/" },
    },
    {
      name: "infra-imports-pure-constants",
      severity: "error",
      comment: "infra and sst.config.ts import packages/core only",
      from: { path: "^(infra/|sst\\.config\\.ts)", pathNot: TESTS },
      to: { path: "^(packages/(?!core/)|functions/)" },
    },
    {
      name: "no-circular",
      severity: "error",
      from: {},
      comment: "no file imports itself in a circle, also not for types alone",
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".js", ".mjs", ".json"],
    },
  },
};
