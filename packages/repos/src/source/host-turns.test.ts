import { describe, expect, it } from "vitest";
import { hostTurns } from "./host-turns.ts";

const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

function scene() {
  const turns = hostTurns(() => 0);
  const begun: string[] = [];
  const take = (host: string, did: string, isSlow = false, signal = never) => {
    void turns.take(host, did, () => isSlow, signal).then(() => begun.push(did));
    return settled();
  };
  return { turns, begun, take };
}

describe("turns at hosts", () => {
  it("issue 15.5: one repository of a host at a time, in the order in which they came; one that leaves is passed over", async () => {
    const { turns, begun, take } = scene();
    const leaving = new AbortController();
    await take("one", "a");
    await take("one", "b", false, leaving.signal);
    await take("one", "c");
    await take("two", "d");
    expect(begun).toEqual(["a", "d"]);
    expect(turns.heldUpBy("c")).toMatchObject({ what: "one", holder: "a", holders: 1 });
    expect([turns.hostOf("a"), turns.hostOf("c"), turns.heldUpBy("a")]).toEqual(["one", null, null]);
    leaving.abort();
    turns.giveBack("a");
    await settled();
    expect(begun).toEqual(["a", "d", "b", "c"]);
    expect([turns.hostOf("c"), turns.hostOf("b")]).toEqual(["one", null]);
  });

  it("issue 15.5: twelve slow hosts have repositories walked at most; those of another host pass by", async () => {
    const { turns, begun, take } = scene();
    for (let n = 0; n < 14; n++) await take(`slow ${n}`, `s${n}`, true);
    await take("slow 13", "behind", true);
    expect(begun).toHaveLength(12);
    expect(turns.heldUpBy("s12")).toEqual({ what: "slow hosts", holder: "s0", holders: 12 });
    expect(turns.heldUpBy("behind")).toMatchObject({ what: "slow 13", holder: "s13" });
    // It has no turn, so it is not said to take too long.
    expect(turns.hostOf("s12")).toBeNull();
    await take("fast", "f");
    expect(begun.at(-1)).toBe("f");
    turns.giveBack("s5");
    turns.giveBack("f");
    await settled();
    expect(begun.slice(13)).toEqual(["s12"]);
  });

  it("issue 15.5: when the list is at its end slow hosts may have all places", async () => {
    const { turns, begun, take } = scene();
    for (let n = 0; n < 14; n++) await take(`slow ${n}`, `s${n}`, true);
    turns.freeAll();
    await settled();
    expect(begun).toHaveLength(14);
  });
});
