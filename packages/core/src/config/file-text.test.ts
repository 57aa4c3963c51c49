import { expect, test } from "vitest";
import { decodeFileText, FileTextError } from "./file-text.ts";

const TEXT = "PORT=1\nRELAY_URL=wss://a.test\n";

test("fault 15: UTF-8 is read, without its byte order mark", () => {
  expect(decodeFileText(Buffer.from(TEXT))).toBe(TEXT);
  expect(decodeFileText(Buffer.from(`\uFEFF${TEXT}`))).toBe(TEXT);
  expect(decodeFileText(Buffer.from("# für 東京\n"))).toBe("# für 東京\n");
  expect(decodeFileText(new Uint8Array())).toBe("");
});

test.each<[string, Buffer, RegExp]>([
  ["UTF-16 LE with a mark", Buffer.from(`\uFEFF${TEXT}`, "utf16le"), /^line 1: the file is UTF-16/],
  ["UTF-16 BE with a mark", Buffer.from(`\uFEFF${TEXT}`, "utf16le").swap16(), /^line 1: the file is UTF-16/],
  ["UTF-16 LE without one", Buffer.from(TEXT, "utf16le"), /^line 1: there is a NUL byte/],
  ["UTF-16 BE without one", Buffer.from(TEXT, "utf16le").swap16(), /^line 1: there is a NUL byte/],
  ["a NUL byte", Buffer.from(`${TEXT}X=\0\n`), /^line 3: there is a NUL byte/],
  ["Latin-1", Buffer.concat([Buffer.from(TEXT), Buffer.from("X=für\n", "latin1")]), /^line 3: .*not UTF-8/],
  ["a character that is cut at the end", Buffer.from([0x61, 0x0a, 0xc3]), /^line 2: .*not UTF-8/],
])("fault 15: %s is refused by its line", (_, bytes, message) => {
  expect(() => decodeFileText(bytes)).toThrow(FileTextError);
  expect(() => decodeFileText(bytes)).toThrow(message);
});
