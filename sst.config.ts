// oxlint-disable-next-line typescript/triple-slash-reference -- how SST gives its types to this file
/// <reference path="./.sst/platform/config.d.ts" />

/**
 * The app of SST, and nothing else: what is deployed stands in infra/, one concern a file. SST evaluates this file on
 * its own before every command, so everything is imported when it is needed.
 */
export default $config({
  app(input) {
    const isProduction = input.stage === "production";
    return {
      name: "firehose-backfill",
      home: "aws",
      // `sst remove` leaves production's table and queues; `protect` refuses the command there in the first place.
      removal: isProduction ? "retain" : "remove",
      protect: isProduction,
    };
  },
  async run() {
    const { deployBackfill } = await import("./infra/backfill.ts");
    return deployBackfill();
  },
});
