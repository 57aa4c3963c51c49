import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { describe, expect, it } from "vitest";
import { limitUnderConsumers } from "./limit-under-consumers.ts";

const RUN = "20260102-030405-abcd";

async function storeWith(rssMb: readonly number[]) {
  const store = createMemoryStore();
  for (const [index, held] of rssMb.entries()) {
    const report = { id: `consumer-${index}`, atMs: Date.now(), rssMb: held, limitMb: 512, active: 1 };
    await store.reportConsumer(RUN, { ...report, poolUsed: 1, poolSize: 1 });
  }
  return store;
}

describe("fault 22: a limit of memory, where consumers run elsewhere", () => {
  it("is refused with both numbers if no consumer could keep it", async () => {
    const store = await storeWith([300, 201]);
    expect(await limitUnderConsumers(store, RUN, 221)).toBe(
      "BACKFILL_MAX_MEMORY_MB is 221, but every consumer holds at least 201 MB and would give up after each batch: set it to at least 222",
    );
  });

  it("is accepted if one could: those that hold more are replaced", async () => {
    expect(await limitUnderConsumers(await storeWith([300, 201]), RUN, 222)).toBeNull();
  });

  it("is accepted where no consumer has said anything", async () => {
    expect(await limitUnderConsumers(await storeWith([]), RUN, 64)).toBeNull();
    expect(await limitUnderConsumers(await storeWith([300]), "another-run", 64)).toBeNull();
  });
});
