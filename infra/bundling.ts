/**
 * What is left out of every bundle: sources of credentials that a function never uses. The SDK tries each of them when the ones before
 * have failed; in Lambda and in `sst dev` the first one, the environment, works. This saves a tenth of a megabyte at every cold
 * start. The file is pure, so that the tests bundle in the same way.
 */
export const NOT_BUNDLED: readonly string[] = [
  "@aws-sdk/credential-provider-http",
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
  "@smithy/credential-provider-imds",
];
