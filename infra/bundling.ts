/**
 * How a function is bundled. The file is pure, so that the build and the tests bundle in the same way as the deploy.
 *
 * A part that is behind an `import()` is a file of its own in the bundle and is read when it is needed: the client of SNS, which
 * publishes a few messages in a run.
 */
export const BUNDLING = {
  splitting: true,
  esbuild: {
    /**
     * Parts of the SDK that a function never uses. The sources of credentials: the SDK tries each of them when the ones before have failed; in
     * Lambda and in `sst dev` the first one, the environment, works. The last two are for answers that are streams of events, and for browsers.
     */
    external: [
      "@aws-sdk/credential-provider-http",
      "@aws-sdk/credential-provider-ini",
      "@aws-sdk/credential-provider-process",
      "@aws-sdk/credential-provider-sso",
      "@aws-sdk/credential-provider-web-identity",
      "@smithy/credential-provider-imds",
      "@smithy/core/event-streams",
      "bowser",
    ],
  },
};
