import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inPathOrder } from "./path-order.ts";

async function ordered(collections: readonly string[]): Promise<string[]> {
  const result: string[] = [];
  for await (const collection of inPathOrder(stream(collections))) result.push(collection);
  return result;
}

async function* stream(items: readonly string[]): AsyncGenerator<string> {
  yield* items;
}

const byPath = (left: string, right: string) => (`${left}/` < `${right}/` ? -1 : 1);

describe("collections in the order of their paths", () => {
  it("issue 16.4: one that begins with another's name and a hyphen or a dot comes before it", async () => {
    expect(await ordered(["a.b.c", "a.b.c-d", "a.b.c-d.e", "a.b.c.d", "a.b.c0", "a.b.d"])).toEqual([
      "a.b.c-d.e",
      "a.b.c-d",
      "a.b.c.d",
      "a.b.c",
      "a.b.c0",
      "a.b.d",
    ]);
  });

  it("issue 16.4: whatever the names are", async () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "-", ".", "0", "/", "!"), minLength: 1, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { maxLength: 40 }), async (names) => {
        expect(await ordered(names.toSorted())).toEqual(names.toSorted(byPath));
      }),
      { numRuns: 2_000, seed: 161 },
    );
  });

  it("issue 16.4: no more waits than a name has characters", async () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `a.b.c${"-x".repeat(index % 40)}.n${index}`).sort();
    let asked = 0;
    let given = 0;
    let most = 0;
    async function* counted() {
      for (const name of names) {
        asked += 1;
        most = Math.max(most, asked - given);
        yield name;
      }
    }
    for await (const _ of inPathOrder(counted())) given += 1;
    expect(given).toBe(5_000);
    expect(most).toBeLessThan(100);
  });
});
