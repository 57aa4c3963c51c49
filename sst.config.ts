// oxlint-disable-next-line typescript/triple-slash-reference -- SST gives its types to this file in this way
/// <reference path="./.sst/platform/config.d.ts" />

/**
 * The SST app. The resources are in infra/, one concern in each file. SST evaluates this file alone before every command, so
 * everything is imported only when it is needed.
 */
export default $config({
  app(input) {
    const isProduction = input.stage === "production";
    return {
      name: "firehose-backfill",
      home: "aws",
      // `sst remove` keeps production's table and queues; `protect` refuses the command for production anyway.
      removal: isProduction ? "retain" : "remove",
      protect: isProduction,
    };
  },
  async run() {
    const { deployBackfill } = await import("./infra/backfill.ts");
    return deployBackfill();
  },
});
