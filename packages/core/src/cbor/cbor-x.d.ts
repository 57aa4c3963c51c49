/**
 * The parts of cbor-x 1.6.8 that we use, as they are at run time: the package's own types lack `setExtractor` and
 * `int64AsNumber`, and do not resolve for the two builds without eval. That is why its version is pinned.
 */
declare module "cbor-x/decode-no-eval" {
  export interface DecoderOptions {
    readonly mapsAsObjects: boolean;
    readonly useRecords: boolean;
    readonly int64AsNumber: boolean;
    readonly copyBuffers: boolean;
  }
  /** `T`: what the bytes that it is given can decode to. */
  export class Decoder<T> {
    constructor(options: DecoderOptions);
    /** The one item in the first `length` bytes. */
    decode(bytes: Uint8Array, length: number): T;
  }
  /** Applies to every Decoder of this build. Used for tags over byte strings. */
  export function addExtension(extension: {
    readonly tag: number;
    readonly decode: (item: Uint8Array) => unknown;
  }): void;
  /** Replaces how strings are read, in every Decoder of this build. */
  export function setExtractor(
    extract: (position: number, end: number, length: number, source: Uint8Array) => string,
  ): void;
}

declare module "cbor-x/index-no-eval" {
  export interface EncoderOptions {
    readonly useRecords: boolean;
    readonly variableMapSize: boolean;
    readonly tagUint8Array: boolean;
  }
  export class Encoder {
    constructor(options: EncoderOptions);
    /** A view into a buffer that the encoder goes on writing to. */
    encode(value: unknown): Uint8Array;
  }
}
