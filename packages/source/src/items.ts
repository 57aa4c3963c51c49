/** What a source keeps beside its state: small texts by group and name, such as when a host may be asked again. Only the source reads them. */

export interface ItemPlace {
  /** Of a run, its id; what all runs share has a name of its own. */
  readonly group: string;
  /** ASCII. Names of a group are listed in the order of their characters. */
  readonly name: string;
}

export interface SourceItem {
  readonly name: string;
  readonly text: string;
}

/** A text of an item is bounded like a source's state, twice over; a store refuses more. */
export const MAX_ITEM_TEXT_BYTES = 4_096;

/** Every method rejects when the store does not answer. Each call is safe to repeat. */
export interface SourceItems {
  /** null: there is none, or it has expired. */
  get(place: ItemPlace): Promise<string | null>;
  /** Replaces what is there. `keptMs`: when nobody has written it for so long, it may go. */
  put(place: ItemPlace, text: string, keptMs: number): Promise<void>;
  remove(place: ItemPlace): Promise<void>;
  /** From the first name on, both ends included. */
  list(
    group: string,
    range: { readonly from: string; readonly to: string; readonly limit: number },
  ): Promise<readonly SourceItem[]>;
}
