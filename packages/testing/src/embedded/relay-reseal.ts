/**
 * Creates any number of frames from a recording, for benchmarks and long tests: each copy of the recording has its own
 * accounts, later revisions, times and sequence numbers. CARs are rebuilt, so every hash is correct: the commit block
 * names the new account, and its new CID is in the CAR and in the frame; records and MST nodes stay as recorded.
 * Signatures are no longer valid. Frames are created when they are read and not stored; the same options give the same bytes.
 */
import { hash } from "node:crypto";
import type { FrameLog } from "@firehose-backfill/embedded/relay-log";
import { prepareTemplate, TID_TIME_CHARS, type Template } from "./relay-reseal-template.ts";

export interface ResealOptions {
  /** A recording, in the order of seq; every frame has a seq and a time. */
  readonly frames: readonly Uint8Array[];
  /** How often it is repeated. */
  readonly copies: number;
  /** Part of the accounts' names. */
  readonly seed: string;
  /**
   * Time of the first frame, milliseconds since the epoch. The recording's own rate is kept; copies follow one another.
   * It must be early enough for the last copy to end before now, because a reader refuses revisions in the future.
   */
  readonly firstTimeMs: number;
  /** 2^32 or above, as on a real relay, so that a seq always takes nine bytes. Default: 2^33. */
  readonly firstSeq?: number;
}

export interface ResealedLog extends FrameLog {
  readonly frames: number;
  /** Record operations and markers. */
  readonly events: number;
}

const PAUSE_BETWEEN_COPIES_MS = 1000;

/** @throws RangeError for a recording that it cannot repeat */
export function resealedLog(options: ResealOptions): ResealedLog {
  const templates = options.frames.map(prepareTemplate);
  const [first] = templates;
  const last = templates.at(-1);
  if (first === undefined || last === undefined) throw new RangeError("an empty recording");
  const times = templates.map((template) => template.timeMs);
  const recordedMs = Math.min(...times);
  const span: CopySpan = {
    firstSeq: options.firstSeq ?? 2 ** 33,
    seqs: last.seq - first.seq + 1,
    recordedSeq: first.seq,
    shiftMs: options.firstTimeMs - recordedMs,
    stepMs: Math.max(...times) - recordedMs + PAUSE_BETWEEN_COPIES_MS,
  };
  if (span.firstSeq < 2 ** 32) throw new RangeError("firstSeq below 2^32");
  return {
    oldestSeq: span.firstSeq,
    headSeq: span.firstSeq + options.copies * span.seqs - 1,
    trimmedSeq: 0,
    frames: templates.length * options.copies,
    events: options.copies * templates.reduce((sum, template) => sum + template.events, 0),
    *after(seq) {
      const begin = Math.max(0, Math.floor((seq + 1 - span.firstSeq) / span.seqs));
      for (let copy = begin; copy < options.copies; copy += 1) {
        const seal = sealer(span, copy, options.seed);
        for (const template of templates) {
          const next = seqOfCopy(span, copy, template);
          if (next > seq) yield { seq: next, frame: seal(template) };
        }
      }
    },
  };
}

interface CopySpan {
  readonly firstSeq: number;
  /** How many sequence numbers a copy uses, gaps included. */
  readonly seqs: number;
  readonly recordedSeq: number;
  /** From the recording to the first copy, and from each copy to the next. */
  readonly shiftMs: number;
  readonly stepMs: number;
}

function seqOfCopy(span: CopySpan, copy: number, template: Template): number {
  return span.firstSeq + copy * span.seqs + (template.seq - span.recordedSeq);
}

/** One copy's accounts and shifts, applied to a template. */
function sealer(span: CopySpan, copy: number, seed: string): (template: Template) => Uint8Array {
  const dids = new Map<string, string>();
  const shiftMs = span.shiftMs + copy * span.stepMs;
  return (template) => {
    let did = dids.get(template.did);
    if (did === undefined) {
      did = newDid(`${seed}:${copy}:${template.did}`);
      dids.set(template.did, did);
    }
    const frame = Buffer.from(template.bytes);
    frame.writeBigUInt64BE(BigInt(seqOfCopy(span, copy, template)), template.seqAt);
    frame.write(new Date(template.timeMs + shiftMs).toISOString(), template.timeAt, "latin1");
    for (const at of template.didAt) frame.write(did, at, "latin1");
    for (const { at, micros } of template.tids) frame.write(tidTime(micros + shiftMs * 1000), at, "latin1");
    if (template.commit !== null) {
      const { start, end, digestAt } = template.commit;
      const digest = hash("sha256", frame.subarray(start, end), "buffer");
      for (const at of digestAt) frame.set(digest, at);
    }
    return frame;
  };
}

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const SORTABLE_BASE32 = "234567abcdefghijklmnopqrstuvwxyz";
const PLC_CHARS = 24;

/** A `did:plc:` that no directory knows, with the usual length. */
function newDid(name: string): string {
  const digest = hash("sha256", name, "buffer");
  let did = "did:plc:";
  for (let i = 0; i < PLC_CHARS; i += 1) did += BASE32[(digest[i] ?? 0) & 31];
  return did;
}

/** The time in a TID: all characters but the two of the clock id. */
function tidTime(micros: number): string {
  let text = "";
  for (let i = 0, rest = micros; i < TID_TIME_CHARS; i += 1) {
    text = SORTABLE_BASE32.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
