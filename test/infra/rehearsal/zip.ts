/** Reads single files out of a zip archive, without unpacking the rest. Stored and deflated entries; no zip64. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { inflateRawSync } from "node:zlib";

export interface Zip {
  readonly names: readonly string[];
  /** @throws Error when there is no such entry */
  read(name: string): Buffer;
}

interface Entry {
  readonly method: number;
  readonly compressedBytes: number;
  readonly headerOffset: number;
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const LOCAL_HEADER_BYTES = 30;
const DEFLATED = 8;

/** @throws Error when the file is no zip archive */
export function openZip(path: string): Zip {
  const entries = readDirectory(path);
  return {
    names: [...entries.keys()],
    read(name) {
      const entry = entries.get(name);
      if (entry === undefined) throw new Error(`${path} holds no ${name}`);
      const header = readAt(path, entry.headerOffset, LOCAL_HEADER_BYTES);
      // The local header's name and extra field may be longer than the directory's.
      const dataOffset = entry.headerOffset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
      const data = readAt(path, dataOffset, entry.compressedBytes);
      return entry.method === DEFLATED ? inflateRawSync(data) : data;
    },
  };
}

function readDirectory(path: string): Map<string, Entry> {
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  closeSync(file);
  const tailOffset = Math.max(0, size - END_BYTES - LONGEST_COMMENT);
  const tail = readAt(path, tailOffset, size - tailOffset);
  let end = tail.length - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--;
  if (end < 0) throw new Error(`${path} is no zip archive`);

  const directory = readAt(path, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const entries = new Map<string, Entry>();
  for (let at = 0; at < directory.length && directory.readUInt32LE(at) === ENTRY_SIGNATURE;) {
    const nameBytes = directory.readUInt16LE(at + 28);
    entries.set(directory.toString("utf8", at + 46, at + 46 + nameBytes), {
      method: directory.readUInt16LE(at + 10),
      compressedBytes: directory.readUInt32LE(at + 20),
      headerOffset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

function readAt(path: string, offset: number, bytes: number): Buffer {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(bytes);
    readSync(file, buffer, 0, bytes, offset);
    return buffer;
  } finally {
    closeSync(file);
  }
}
