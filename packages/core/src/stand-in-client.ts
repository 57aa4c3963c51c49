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
  disableClockSkewCorrection: false,
};

export type StandInClientConfig = Omit<typeof CONFIG, "authSchemePreference" | "defaultsMode"> & {
  readonly endpoint: string;
  readonly defaultsMode: "standard";
  readonly authSchemePreference: string[];
};

/** Valid for any client of the SDK. */
export function standInClient(endpoint: string): StandInClientConfig {
  return { ...CONFIG, defaultsMode: "standard", authSchemePreference: [...CONFIG.authSchemePreference], endpoint };
}

/** Additional values that only DynamoDB's client reads. */
export const STAND_IN_TABLE = {
  accountIdEndpointMode: "disabled",
  endpointDiscoveryEnabled: false,
  endpointDiscoveryEnabledProvider: () => Promise.resolve(false),
} as const;
