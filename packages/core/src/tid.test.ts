import { describe, expect, test } from "vitest";
import { tidTimeMs } from "./tid.ts";

describe("the time in a TID", () => {
  test.each([
    ["2222222222222", 0],
    ["3jzfcijpj2z2a", 1_688_137_381_887.007],
    ["jzzzzzzzzzzzz", 18_014_398_509_481.984],
  ])("%s", (tid, ms) => {
    expect(tidTimeMs(tid)).toBeCloseTo(ms, 2);
  });

  test.each(["", "3jzfcijpj2z2", "3jzfcijpj2z2aa", "kjzfcijpj2z2a", "0jzfcijpj2z2a", "3JZFCIJPJ2Z2A"])(
    "%j is none",
    (text) => {
      expect(tidTimeMs(text)).toBeNull();
    },
  );
});
