/** For tests: well-formed texts with characters of every UTF-8 length. fast-check's own `binary` unit takes seconds to start. */
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

/** The same, valid as the key of a map. */
export function anyKey(): fc.Arbitrary<string> {
  return anyText({ maxLength: 40 }).filter((text) => text !== "__proto__");
}
