/**
 * What no bundle holds: ways to credentials that a function never goes. The SDK loads each of them when the ones before
 * have failed, and in Lambda, as in `sst dev`, the first way, the environment, does not fail. A tenth of a megabyte less
 * to load at every cold start. Pure, so that the bundles that are tested are made the same way.
 */
export const NOT_BUNDLED: readonly string[] = [
  "@aws-sdk/credential-provider-http",
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
  "@smithy/credential-provider-imds",
];
