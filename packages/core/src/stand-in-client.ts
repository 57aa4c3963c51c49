/**
 * How the SDK's clients are set up for a stand-in on loopback: everything that the SDK would otherwise look up in AWS_*
 * variables or in ~/.aws/config. Those are meant for AWS, and one of them (FIPS, dual stack, a wrong retry mode, a profile
 * that is not there) would stop a stack that has nothing to do with AWS. For AWS itself the SDK looks them up as ever.
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
  disableClockSkewCorrection: false,
};

export type StandInClientConfig = Omit<typeof CONFIG, "authSchemePreference" | "defaultsMode"> & {
  readonly endpoint: string;
  readonly defaultsMode: "standard";
  readonly authSchemePreference: string[];
};

/** Fit for any client of the SDK. */
export function standInClient(endpoint: string): StandInClientConfig {
  return { ...CONFIG, defaultsMode: "standard", authSchemePreference: [...CONFIG.authSchemePreference], endpoint };
}

/** What only DynamoDB's client looks up beyond that. */
export const STAND_IN_TABLE = {
  accountIdEndpointMode: "disabled",
  endpointDiscoveryEnabled: false,
  endpointDiscoveryEnabledProvider: () => Promise.resolve(false),
} as const;
