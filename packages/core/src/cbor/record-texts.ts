/**
 * The texts of the records that usual-record.ts reads. Records repeat keys and many short texts, so these are kept in tables, and a text that
 * is there is not made again.
 */
import { asciiText, utf8Text } from "./text.ts";
import { isAscii, isValidUtf8 } from "./utf8.ts";

const SLOTS = 2_048;
/** A slot holds a text of up to so many characters. */
const MAX_LENGTH = 32;
/** Up to this size, the whole block is made a text once, and the texts in it are parts of that text. A part keeps the whole alive. */
const MAX_WHOLE = 4_096;

const REPLACEMENT = "\uFFFD";
const NOTHING = /* @__PURE__ */ new Uint8Array(0);

/** Short ASCII texts by their bytes. Of two texts for one slot, the newer one stays. */
class ShortTexts {
  readonly #texts: (string | undefined)[] = Array.from({ length: SLOTS });
  /** The bytes of each text, because comparing bytes with bytes is faster than with the characters of a text. */
  readonly #bytes = new Uint8Array(SLOTS * MAX_LENGTH);
  /** The hash of the text that was looked for last. */
  readonly #seen = new Int32Array(SLOTS);

  /** undefined: it is not there. */
  find(slot: number, bytes: Uint8Array, start: number, length: number): string | undefined {
    const text = this.#texts[slot];
    if (text === undefined || text.length !== length) return undefined;
    const known = this.#bytes;
    const from = slot * MAX_LENGTH;
    for (let index = 0; index < length; index++) {
      if (known[from + index] !== bytes[start + index]) return undefined;
    }
    return text;
  }

  /** Whether the slot was asked for the same hash last time. A text that comes once only is not worth its slot. */
  isSecond(slot: number, hash: number): boolean {
    const isSecond = this.#seen[slot] === hash;
    this.#seen[slot] = hash;
    return isSecond;
  }

  keep(slot: number, text: string, bytes: Uint8Array, start: number): string {
    this.#texts[slot] = text;
    for (let index = 0; index < text.length; index++)
      this.#bytes[slot * MAX_LENGTH + index] = bytes[start + index] ?? 0;
    return text;
  }
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 11)) & (SLOTS - 1);
}

/** Reads a key of up to 32 bytes. undefined: it is not ASCII, or it is `__proto__`, which is no ordinary key in JavaScript. */
export function createKeyTable(): (bytes: Uint8Array, start: number, end: number) => string | undefined {
  const known = new ShortTexts();
  return (bytes, start, end) => {
    const length = end - start;
    let hash = length;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    const slot = slotOf(hash);
    const found = known.find(slot, bytes, start, length);
    if (found !== undefined) return found;
    if (!isAscii(bytes, start, end)) return undefined;
    const text = asciiText(bytes, start, end);
    return text === "__proto__" ? undefined : known.keep(slot, internalized(text), bytes, start);
  };
}

/** The text as V8 stores names of properties. With another text as key, it has to look for that one first. */
function internalized(text: string): string {
  return Object.keys({ [text]: 0 })[0] ?? text;
}

export interface ValueTable {
  /** The texts that are read next stand in this block. */
  begin(block: Uint8Array): void;
  /** undefined: it is not UTF-8. */
  read(start: number, end: number): string | undefined;
}

export function createValueTable(): ValueTable {
  const known = new ShortTexts();
  let bytes: Uint8Array = NOTHING;
  let whole: string | null = null;

  /** Makes a text of bytes that are all ASCII. */
  const make = (start: number, end: number): string => {
    if (bytes.length > MAX_WHOLE) return asciiText(bytes, start, end);
    whole ??= asciiText(bytes, 0, bytes.length);
    return whole.slice(start, end);
  };

  return {
    begin(block) {
      bytes = block;
      whole = null;
    },
    read(start, end) {
      const length = end - start;
      if (length > MAX_LENGTH) return isAscii(bytes, start, end) ? make(start, end) : decodeUtf8(bytes, start, end);
      let hash = length;
      let seenBits = 0;
      for (let at = start; at < end; at++) {
        const byte = bytes[at] ?? 0;
        seenBits |= byte;
        hash = (Math.imul(hash, 31) + byte) | 0;
      }
      if (seenBits > 0x7f) return decodeUtf8(bytes, start, end);
      const slot = slotOf(hash);
      const found = known.find(slot, bytes, start, length);
      if (found !== undefined) return found;
      if (!known.isSecond(slot, hash)) return make(start, end);
      return known.keep(slot, asciiText(bytes, start, end), bytes, start);
    },
  };
}

/** undefined: it is not UTF-8. The decoder writes U+FFFD for what is wrong, so a text without it needs no other check. */
function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  const text = utf8Text(bytes, start, end);
  return text.includes(REPLACEMENT) && !isValidUtf8(bytes, start, end) ? undefined : text;
}
