import { expect, test } from "vitest";
import { kitFor, type SourceKit } from "./kit.ts";

const kit: SourceKit = {
  open: () => Promise.reject(new Error("not asked")),
  survey: () => Promise.reject(new Error("not asked")),
};

test("a run is read by the kit of its kind, and a kind that is not known is refused with what to do", () => {
  expect(kitFor({ relay: kit }, "relay")).toBe(kit);
  for (const kind of ["repos", "toString"])
    expect(() => kitFor({ relay: kit }, kind)).toThrow(
      `the run reads a source of the kind "${kind}", and this program knows relay: run the version that began it`,
    );
});
