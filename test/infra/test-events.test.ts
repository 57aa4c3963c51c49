/** What the console's Test menu sends is what the control function understands. */
import { expect, test } from "vitest";
import { TEST_EVENTS } from "../../infra/test-events.ts";
import { parseControlEvent } from "../../packages/backfill/src/control-event.ts";

test.each(Object.entries(TEST_EVENTS))("%s", (_, event) => {
  expect(parseControlEvent(event).action).toBe(event["action"]);
});
