/** What changed since a token, for a program that keeps a copy: nothing is missed, some things may come twice. */
import type { AppliedRecord } from "./applied-record.ts";

export interface ChangeFeed {
  /** Where it stands now: what is written from now on comes after it. @throws SinkError */
  now(): Promise<string>;
  /**
   * `since`: a token, or "start": everything there is, then what changed meanwhile.
   * @throws SinkError (`broken`) when the token cannot be used any more: the copy has to be made anew
   */
  changes(since: string, limit: number): Promise<ChangePage>;
}

export interface ChangePage {
  /** In an order in which they can be applied one after the other. About `limit`: what one transaction wrote is not cut. */
  readonly entries: readonly Change[];
  /** Where to go on once these are applied. */
  readonly token: string;
  /** There is nothing more at the moment. */
  readonly isEnd: boolean;
}

export type Change =
  /** A record as it stands now, or that it is deleted. */
  | ({ readonly kind: "record" } & AppliedRecord)
  /** The account was deleted: all its rows go. What it has written since comes after this. */
  | { readonly kind: "purge"; readonly did: string }
  /** Its status or handle as they stand now. */
  | {
      readonly kind: "account";
      readonly did: string;
      readonly active: boolean | null;
      readonly status: string | null;
      readonly handle: string | null;
    };
