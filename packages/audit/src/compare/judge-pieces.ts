/**
 * Compares pieces of a repository's tree with the rows of the copy that belong to them, in one pass in key order. A subtree is compared by its
 * CID: the same rows make the same subtree, so that nothing below it has to be fetched. What it keeps of the rows is bounded.
 */
import { cidEquals } from "@firehose-backfill/core/cid";
import { createTreeBuilder } from "@firehose-backfill/repos/tree/tree-builder";
import type { Item, NodeItem, RecordItem } from "@firehose-backfill/repos/walk/frontier";
import { canStandInTree, type Entry, NO_CID } from "./entry.ts";
import type { Findings } from "./findings.ts";

/** A subtree whose CID is not the one that the copy's rows make. */
export interface UnequalPiece {
  readonly item: NodeItem;
  /** The rows that belong there. null: there are too many to keep; they are read again. */
  readonly entries: readonly Entry[] | null;
}

/** Pieces of a tree in key order. They cover what is compared: no key of the repository lies beside them. */
export interface Pieces {
  readonly items: readonly Item[];
  /** CID of the node whose children they are; null: they are of several. */
  readonly parent: Uint8Array | null;
}

/** How many rows may be kept for pieces that are not equal, in all. */
export interface Room {
  left: number;
}

/** Of one piece at most. */
const MAX_KEPT = 20_000;

export class PieceJudge {
  readonly #pieces: readonly Item[];
  readonly #parent: Uint8Array | null;
  readonly #findings: Findings;
  readonly #room: Room;
  readonly #builder = createTreeBuilder();
  readonly #unequal: UnequalPiece[] = [];
  #index = 0;
  #kept: Entry[] | null = [];

  constructor({ items, parent }: Pieces, findings: Findings, room: Room) {
    this.#pieces = items;
    this.#parent = parent;
    this.#findings = findings;
    this.#room = room;
  }

  /** The next row, in key order. */
  take(entry: Entry): void {
    if (!canStandInTree(entry.key)) {
      this.#surplus(entry);
      return;
    }
    for (let piece = this.#pieces[this.#index]; piece !== undefined; piece = this.#pieces[this.#index]) {
      if (piece.kind === "node") {
        if (entry.key >= piece.below) this.#close(piece);
        else if (entry.key <= piece.above) break;
        else {
          this.#put(entry);
          return;
        }
      } else if (piece.key < entry.key) this.#absent(piece);
      else if (piece.key > entry.key) break;
      else {
        this.#compare(entry, piece.cid);
        return;
      }
    }
    this.#surplus(entry);
  }

  /** After the last row. */
  finish(): readonly UnequalPiece[] {
    for (let piece = this.#pieces[this.#index]; piece !== undefined; piece = this.#pieces[this.#index]) {
      if (piece.kind === "node") this.#close(piece);
      else this.#absent(piece);
    }
    return this.#unequal;
  }

  #put(entry: Entry): void {
    if (entry.cid !== null) this.#builder.add(entry.key, entry.cid);
    if (this.#kept === null) return;
    if (this.#kept.length < MAX_KEPT && this.#room.left > 0) {
      this.#kept.push(entry);
      this.#room.left -= 1;
    } else {
      this.#room.left += this.#kept.length;
      this.#kept = null;
    }
  }

  #close(item: NodeItem): void {
    this.#index += 1;
    const { layer } = item;
    const own = layer === null ? this.#builder.finish() : this.#builder.finishBelow(layer);
    const entries = this.#kept;
    this.#kept = [];
    if (own === null || !cidEquals(own, item.cid)) this.#unequal.push({ item, entries });
    else this.#room.left += entries?.length ?? 0;
  }

  #compare(entry: Entry, cid: Uint8Array): void {
    this.#index += 1;
    if (entry.cid !== null && cidEquals(entry.cid, cid)) return;
    if (entry.isNewer) this.#findings.newer += 1;
    else this.#findings.add("other", entry.key, cid);
  }

  #absent({ key, cid }: RecordItem): void {
    this.#index += 1;
    this.#findings.add("missing", key, cid);
  }

  #surplus({ key, cid, isNewer }: Entry): void {
    // A record that was deleted since, and that the commit does not have either.
    if (cid === null) return;
    if (isNewer) this.#findings.newer += 1;
    else this.#findings.add("extra", key, canStandInTree(key) ? this.#witness() : NO_CID);
  }
  /**
   * The node between two of whose own keys the row would stand: as long as that node is there, there is no such record. At a node's edge it proves
   * nothing alone, because a node keeps its CID when its neighbours change.
   */
  #witness(): Uint8Array | null {
    const isBetween = this.#pieces[this.#index - 1]?.kind === "record" && this.#pieces[this.#index]?.kind === "record";
    return isBetween ? this.#parent : null;
  }
}
