/** The layer rule of docs/architecture.md, written down once. Imports go downwards only; siblings do not know each other. */
const FLOORS = {
  core: [],
  throttle: ["core"],
  source: ["core"],
  firehose: ["core", "source"],
  repos: ["core", "source"],
  queue: ["core", "throttle"],
  checkpoint: ["core", "throttle", "source"],
  sink: ["core", "throttle"],
  backfill: ["core", "throttle", "source", "queue", "checkpoint", "sink"],
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
    "backfill",
    "status",
    "embedded",
  ],
  cli: ["core", "throttle", "source", "queue", "checkpoint", "sink", "backfill", "status", "embedded", "server"],
};

/** Third parties that one package alone may import. */
const OWNERS = {
  "cbor-x": ["core"],
  "@aws-sdk/client-sqs": ["queue", "embedded"],
  "@aws-sdk/client-dynamodb": ["checkpoint", "embedded"],
  "@neondatabase/serverless": ["sink"],
  ws: ["firehose", "embedded"],
  fauxqs: ["embedded"],
  dynalite: ["embedded"],
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
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
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
