/**
 * Everything that is kept of a run, for those who compose. A use case asks for the small stores that it uses.
 *
 * Every write says under which condition it is true. No clock comparison decides correctness: the fence does.
 */
import type { LedgerStore } from "./ledger-store.ts";
import type { NoteStore } from "./note-store.ts";
import type { PaceStore } from "./pace-store.ts";
import type { RunStore } from "./run-store.ts";
import type { WindowStore } from "./window-store.ts";

export interface CheckpointStore extends RunStore, PaceStore, WindowStore, LedgerStore, NoteStore {}
