/**
 * Configures the SDK's clients for a stand-in on loopback: all values that the SDK would otherwise read from AWS_* variables or
 * from ~/.aws/config. Those values are meant for AWS, and one of them (FIPS, dual stack, a wrong retry mode, a missing profile)
 * would stop a stack that does not use AWS. For AWS itself the SDK reads them as usual.
 */
const CONFIG = {
  region: "us-east-1",
  // DynamoDB Local takes letters and digits only.
  credentials: { accessKeyId: "standin", secretAccessKey: "standin" },
  useFipsEndpoint: false,
  useDualstackEndpoint: false,
  defaultsMode: "standard",
  retryMode: "standard",
  maxAttempts: 3,
  userAgentAppId: "",
  authSchemePreference: ["sigv4"],
  // A stand-in has the clock of this machine.
  disableClockSkewCorrection: true,
};

/** The part of a request that a signer changes. */
interface Signable {
  readonly headers: Record<string, string>;
}

interface Signer {
  sign<Request extends Signable>(request: Request): Promise<Request>;
}

export type StandInClientConfig = Omit<typeof CONFIG, "authSchemePreference" | "defaultsMode"> & {
  readonly endpoint: string;
  readonly defaultsMode: "standard";
  readonly authSchemePreference: string[];
  readonly signer: () => Promise<Signer>;
};

/** Valid for any client of the SDK; `service` is its name in signatures. */
export function standInClient(endpoint: string, service: "sqs" | "dynamodb"): StandInClientConfig {
  return {
    ...CONFIG,
    authSchemePreference: [...CONFIG.authSchemePreference],
    defaultsMode: "standard",
    endpoint,
    signer: () => Promise.resolve(unsigned(service)),
  };
}

/**
 * A stand-in reads who sends a request and checks no signature. To hash the body and to make the signature takes 0.4 of the CPU time that
 * the SDK needs for a request, so the signature is left out here.
 */
function unsigned(service: string): Signer {
  return {
    sign(request) {
      const date = new Date().toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
      const scope = `${CONFIG.credentials.accessKeyId}/${date.slice(0, 8)}/${CONFIG.region}/${service}/aws4_request`;
      request.headers["x-amz-date"] = date;
      request.headers["authorization"] =
        `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=none`;
      return Promise.resolve(request);
    },
  };
}

/** Additional values that only DynamoDB's client reads. */
export const STAND_IN_TABLE = {
  accountIdEndpointMode: "disabled",
  endpointDiscoveryEnabled: false,
  endpointDiscoveryEnabledProvider: () => Promise.resolve(false),
} as const;
