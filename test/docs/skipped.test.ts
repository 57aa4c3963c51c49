import { expect, test } from "vitest";
import { skippedReasons } from "../../scripts/skipped.ts";

test("fault 36: every skipped test has a reason, one line a file", () => {
  const page = {
    file: "test/page/desk.test.ts",
    titles: ["the page (needs a Chromium: apt-get install chromium)", "starts"],
  };
  const table = { file: "a.test.ts", titles: ["on DynamoDB Local (skipped: no java)", "x (by hand)"] };
  const silent = { file: "b.test.ts", titles: ["one (by hand)"] };
  expect(skippedReasons({ skipped: [page, table, table, silent] })).toEqual([
    "Skipped: 2 in a.test.ts: skipped: no java",
    "Skipped: 1 in test/page/desk.test.ts: needs a Chromium: apt-get install chromium",
    "Skipped: 1 in b.test.ts: its title gives no reason",
  ]);
  expect(skippedReasons({ skipped: [] })).toEqual([]);
});
