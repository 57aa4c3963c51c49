/** A child for child.test.ts: its first argument says how it behaves. */
import { onParentGone, reportReady } from "@firehose-backfill/embedded/child-side";
import { forkChild } from "@firehose-backfill/embedded/child";

const [behaviour, value] = process.argv.slice(2);

switch (behaviour ?? "") {
  case "ready":
    onParentGone(() => console.log("stopped"));
    reportReady({ value, pid: process.pid });
    break;
  case "crash":
    console.error("no such luck");
    process.exitCode = 7;
    process.disconnect();
    break;
  case "silent":
    onParentGone(() => {});
    break;
  case "stubborn":
    // Gets the request to stop and ignores it.
    process.on("disconnect", () => {});
    setInterval(() => {}, 1_000);
    reportReady(null);
    break;
  case "parent": {
    onParentGone(() => {});
    const child = await forkChild({ entry: new URL(import.meta.url), args: ["ready"], readyTimeoutMs: 10_000 });
    reportReady(child.pid);
    break;
  }
  default:
    throw new Error(`unknown behaviour ${behaviour}`);
}
