/** For tests: well-formed texts of every length of UTF-8. fast-check's own `binary` unit takes seconds to make its first one. */
import fc from "fast-check";

const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x1_0000, max: 0x10_ffff }),
  )
  .map((codePoint) => String.fromCodePoint(codePoint));

export function anyText(constraints: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ unit: character, ...constraints });
}

/** The same, fit for the key of a map. */
export function anyKey(): fc.Arbitrary<string> {
  return anyText({ maxLength: 40 }).filter((text) => text !== "__proto__");
}
