import { expect, test } from "vitest";
import { someAtOnce } from "./some-at-once.ts";

test("at most that many are under way, and the results have the order of the items", async () => {
  let [underWay, most] = [0, 0];
  const work = async (item: number): Promise<number> => {
    underWay += 1;
    most = Math.max(most, underWay);
    for (let turn = 0; turn < 5 - item; turn += 1) await Promise.resolve();
    underWay -= 1;
    return item * 10;
  };
  expect(await someAtOnce([1, 2, 3, 4, 5], 2, work)).toEqual([10, 20, 30, 40, 50]);
  expect(most).toBe(2);
  expect(await someAtOnce([], 2, work)).toEqual([]);
});

test("after an error no further item is begun, and none is still under way when it is thrown", async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 1) throw new Error("refused");
    await Promise.resolve();
    ended.push(item);
  };
  await expect(someAtOnce([1, 2, 3], 2, work)).rejects.toThrow("refused");
  expect([begun, ended]).toEqual([[1, 2], [2]]);
});
