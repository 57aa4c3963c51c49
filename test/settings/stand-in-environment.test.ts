/** AWS_* variables and ~/.aws/config are meant for AWS: they never reach the clients of the stand-ins, and always those of real services. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createDynamoClient } from "@firehose-backfill/checkpoint/dynamo-client";
import { createSqsClient } from "@firehose-backfill/queue/sqs-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { temporaryFolder, type TemporaryFolder } from "../support/program.ts";

let folder: TemporaryFolder;
let service: AsyncDisposable & { readonly url: string; readonly calls: { agent: string; authorization: string }[] };

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "config"), CONFIG_FILE);
  await writeFile(
    join(folder.path, "credentials"),
    "[default]\naws_access_key_id = theirs\naws_secret_access_key = x\n",
  );
  service = await startService();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const name of Object.keys(VARIABLES)) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
});
afterEach(() => vi.unstubAllEnvs());

const NOWHERE = "http://127.0.0.1:9";
/** What the SDK's own sources name, with values that would do harm. */
const VARIABLES: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: "theirs",
  AWS_ACCOUNT_ID: "123456789012",
  AWS_ACCOUNT_ID_ENDPOINT_MODE: "required",
  AWS_AUTH_SCHEME_PREFERENCE: "sigv4a,httpBearerAuth",
  AWS_BEARER_TOKEN_DYNAMODB: "token",
  AWS_BEARER_TOKEN_SQS: "token",
  AWS_CA_BUNDLE: "/nonexistent",
  AWS_CONTAINER_CREDENTIALS_FULL_URI: NOWHERE,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x",
  AWS_CREDENTIAL_EXPIRATION: "2001-01-01T00:00:00Z",
  AWS_CREDENTIAL_SCOPE: "other",
  AWS_DEFAULTS_MODE: "nonsense",
  AWS_DEFAULT_REGION: "eu-nowhere-1",
  AWS_DISABLE_CLOCK_SKEW_CORRECTION: "nonsense",
  AWS_ENABLE_DEFAULT_SOCKET_TIMEOUT_2026: "true",
  AWS_ENABLE_ENDPOINT_DISCOVERY: "true",
  AWS_ENDPOINT_DISCOVERY_ENABLED: "true",
  AWS_ENDPOINT_URL: NOWHERE,
  AWS_ENDPOINT_URL_DYNAMODB: NOWHERE,
  AWS_ENDPOINT_URL_SQS: NOWHERE,
  AWS_EXECUTION_ENV: "AWS_ECS_FARGATE",
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true",
  AWS_LAMBDA_MAX_CONCURRENCY: "2",
  AWS_LAMBDA_FUNCTION_NAME: "somebody-elses",
  AWS_MAX_ATTEMPTS: "nonsense",
  AWS_PROFILE: "not-there",
  AWS_REGION: "eu-nowhere-1",
  AWS_REQUEST_CHECKSUM_CALCULATION: "nonsense",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "nonsense",
  AWS_RETRY_MODE: "nonsense",
  AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/x",
  AWS_ROLE_SESSION_NAME: "x",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  AWS_SDK_LOAD_CONFIG: "1",
  AWS_SDK_UA_APP_ID: "x".repeat(60),
  AWS_SECRET_ACCESS_KEY: "theirs",
  AWS_SESSION_TOKEN: "theirs",
  AWS_SIGV4A_SIGNING_REGION_SET: "*",
  AWS_USE_DUALSTACK_ENDPOINT: "true",
  AWS_USE_FIPS_ENDPOINT: "true",
  AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent",
  HTTPS_PROXY: NOWHERE,
  HTTP_PROXY: NOWHERE,
  NODE_USE_ENV_PROXY: "1",
};

const CONFIG_FILE = `[default]
region = eu-nowhere-1
use_fips_endpoint = true
use_dualstack_endpoint = true
retry_mode = nonsense
max_attempts = nonsense
defaults_mode = nonsense
endpoint_url = ${NOWHERE}
endpoint_discovery_enabled = true
account_id_endpoint_mode = nonsense
auth_scheme_preference = sigv4a
disable_clock_skew_correction = nonsense
sigv4a_signing_region_set = *
sdk_ua_app_id = ${"x".repeat(60)}
`;

/** Answers whatever is asked, and keeps by whom. */
async function startService() {
  const calls: { agent: string; authorization: string }[] = [];
  const server = createServer((request, response) => {
    calls.push({
      agent: request.headers["user-agent"] ?? "",
      authorization: request.headers.authorization ?? "",
    });
    request.resume().on("end", () => response.setHeader("content-type", "application/x-amz-json-1.0").end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Asks both, and returns with whose keys. */
async function askBoth(endpoint: string | null): Promise<readonly string[]> {
  const sqs = createSqsClient({ endpoint });
  const dynamo = createDynamoClient({ endpoint });
  const before = service.calls.length;
  try {
    await sqs.send(new GetQueueAttributesCommand({ QueueUrl: `${service.url}/000000000000/queue` }));
    await dynamo.send(new DescribeTableCommand({ TableName: "table" }));
  } finally {
    sqs.destroy();
    dynamo.destroy();
  }
  return service.calls
    .slice(before)
    .map(({ authorization }) => /Credential=(\w+)\//.exec(authorization)?.[1] ?? "none");
}

describe("fault 16: nothing of the environment reaches the clients of the stand-ins", () => {
  test.each(Object.entries(VARIABLES))("%s=%s", async (name, value) => {
    vi.stubEnv(name, value);
    expect(await askBoth(service.url)).toEqual(["standin", "standin"]);
  });

  test("all of them at once, and ~/.aws/config", async () => {
    for (const [name, value] of Object.entries(VARIABLES)) vi.stubEnv(name, value);
    vi.stubEnv("AWS_CONFIG_FILE", join(folder.path, "config"));
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder.path, "credentials"));
    expect(await askBoth(service.url)).toEqual(["standin", "standin"]);
    vi.stubEnv("AWS_PROFILE", undefined);
    expect(await askBoth(service.url)).toEqual(["standin", "standin"]);
  });

  test("the table has every variable that the clients ask for", async () => {
    const asked = new Set<string>();
    const real = process.env;
    process.env = new Proxy(real, {
      get: (env, name) => {
        asked.add(String(name));
        return Reflect.get(env, name);
      },
      has: (env, name) => {
        asked.add(String(name));
        return Reflect.has(env, name);
      },
    });
    try {
      // Without keys the search for keys is seen, with them all that comes after it. Nothing leaves this machine.
      for (const credentials of [undefined, { accessKeyId: "x", secretAccessKey: "x" }]) {
        const config = { region: "us-east-1", endpoint: service.url, ...(credentials && { credentials }) };
        const sqs = new SQSClient(config);
        const dynamo = new DynamoDBClient(config);
        await sqs.send(new GetQueueAttributesCommand({ QueueUrl: NOWHERE })).catch(() => {});
        await dynamo.send(new DescribeTableCommand({ TableName: "table" })).catch(() => {});
      }
      await askBoth(service.url);
    } finally {
      process.env = real;
    }
    const given = new Set(["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"]);
    const ofAws = [...asked].filter((name) => name.startsWith("AWS_") && !given.has(name));
    expect(ofAws).toContain("AWS_USE_FIPS_ENDPOINT");
    expect(ofAws.filter((name) => !(name in VARIABLES))).toEqual([]);
  });
});

describe("fault 16: for services of AWS they are the user's, and hold", () => {
  const OURS = { AWS_ACCESS_KEY_ID: "theirs", AWS_SECRET_ACCESS_KEY: "x", AWS_REGION: "us-east-1" };
  const given = (env: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  };

  test("keys and endpoints", async () => {
    given({ ...OURS, AWS_ENDPOINT_URL: service.url });
    expect(await askBoth(null)).toEqual(["theirs", "theirs"]);
    given({ AWS_ENDPOINT_URL: NOWHERE, AWS_ENDPOINT_URL_SQS: service.url, AWS_ENDPOINT_URL_DYNAMODB: service.url });
    expect(await askBoth(null)).toEqual(["theirs", "theirs"]);
  });

  test("a profile of ~/.aws", async () => {
    given({ AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: service.url });
    given({ AWS_SHARED_CREDENTIALS_FILE: join(folder.path, "credentials"), AWS_PROFILE: "default" });
    expect(await askBoth(null)).toEqual(["theirs", "theirs"]);
  });

  test.each([
    ["AWS_USE_FIPS_ENDPOINT", "true", /FIPS and custom endpoint are not supported/],
    ["AWS_USE_DUALSTACK_ENDPOINT", "true", /Dualstack and custom endpoint are not supported/],
  ])("%s=%s is not ignored", async (name, value, message) => {
    given({ ...OURS, AWS_ENDPOINT_URL: service.url, [name]: value });
    await expect(askBoth(null)).rejects.toThrow(message);
  });

  test("how often it is tried", async () => {
    given({ ...OURS, AWS_MAX_ATTEMPTS: "7" });
    const client = createSqsClient({ endpoint: null });
    expect(await client.config.maxAttempts()).toBe(7);
    client.destroy();
  });
});
