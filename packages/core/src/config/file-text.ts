/** Decodes the bytes of a settings file. A file that is not UTF-8 is refused, because another decoding would lose lines. */

/** The file is not text that this program can read. `message` names the line and contains nothing from the file. */
export class FileTextError extends Error {
  override readonly name = "FileTextError";
  isRetryable(): boolean {
    return false;
  }
}

const UTF8_BOM = "\uFEFF";
const SAVE_AS = "save the file as UTF-8";

/** Without the byte order mark that some editors write first. @throws FileTextError */
export function decodeFileText(bytes: Uint8Array): string {
  if (startsWith(bytes, 0xff, 0xfe) || startsWith(bytes, 0xfe, 0xff))
    throw new FileTextError(`line 1: the file is UTF-16; ${SAVE_AS}`);
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    const what = "there is a NUL byte, as in a file that is UTF-16 or not a text";
    throw new FileTextError(`line ${lineAt(bytes, nul)}: ${what}; ${SAVE_AS}`);
  }
  try {
    return withoutBom(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new FileTextError(`line ${firstWrongLine(bytes)}: there are bytes that are not UTF-8; ${SAVE_AS}`, {
      cause: error,
    });
  }
}

export function withoutBom(text: string): string {
  return text.startsWith(UTF8_BOM) ? text.slice(UTF8_BOM.length) : text;
}

function startsWith(bytes: Uint8Array, first: number, second: number): boolean {
  return bytes[0] === first && bytes[1] === second;
}

function lineAt(bytes: Uint8Array, position: number): number {
  return bytes.subarray(0, position).filter((byte) => byte === 0x0a).length + 1;
}

/** A line feed is never part of a longer character, so each line can be checked separately. */
function firstWrongLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let from = 0, line = 1; ; line++) {
    const end = bytes.indexOf(0x0a, from);
    try {
      decoder.decode(bytes.subarray(from, end < 0 ? bytes.length : end));
    } catch {
      return line;
    }
    if (end < 0) return line;
    from = end + 1;
  }
}
