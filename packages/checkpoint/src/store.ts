/**
 * Everything that is stored about a run, for composition roots. A use case asks only for the small stores that it uses.
 *
 * Every write has the condition under which it is valid. No clock comparison decides correctness: the fence does.
 */
import type { LedgerStore } from "./ledger-store.ts";
import type { NoteStore } from "./note-store.ts";
import type { PaceStore } from "./pace-store.ts";
import type { ResyncStore } from "./resync-store.ts";
import type { RunStore } from "./run-store.ts";
import type { WindowStore } from "./window-store.ts";

export interface CheckpointStore extends RunStore, PaceStore, WindowStore, LedgerStore, NoteStore, ResyncStore {}
