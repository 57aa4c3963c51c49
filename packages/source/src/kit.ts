/** What a source gives to a composition root, which chooses it by the kind that the run names. */
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { Cursor } from "./cursor.ts";
import type { EndPoint, StartPoint } from "./points.ts";
import type { Survey } from "./survey.ts";
import type { EventSource, SourceState } from "./window.ts";

/** What a run reads. Each kind of source may add fields of its own; `kind` says which kit understands them. */
export interface RunSource {
  readonly kind: string;
  /** Names it for people, and says within what its cursors mean something: `bsky.network:443`, `sample`. */
  readonly host: string;
}

export interface OpenOptions {
  readonly runId: string;
  readonly source: RunSource;
  readonly scope: ScopeSettings;
  readonly start: StartPoint;
  readonly end: EndPoint;
  /** Everything up to it is read. null: begin at the start point. */
  readonly cursor: Cursor | null;
  /** Up to here everything is applied or dead: the source is not asked again for what comes before. null: nothing is. */
  readonly applied: Cursor | null;
  /** As the last window said it; null: there was none. */
  readonly state: SourceState | null;
  /** The cursor has been set elsewhere since the state was made. */
  readonly isMoved: boolean;
  /** When the run began. */
  readonly createdAtMs: number;
  /** What is left of the tick; finding the start takes a part of it. */
  readonly leftMs: number;
  readonly signal: AbortSignal;
  /** Asked every `memoryCheckInterval` events; true ends the window with `memory`. */
  readonly isMemoryTight: () => boolean;
  readonly memoryCheckInterval: number;
  readonly log: (line: string) => void;
}

export interface SurveyRequest {
  readonly scope: ScopeSettings;
  readonly host: string;
  readonly start: StartPoint;
  readonly end: EndPoint;
}

export interface SourceKit {
  /** What it reads stays where it is, so that runs whose source falls away may go first. Left out: it falls away. */
  readonly isLasting?: boolean;
  /** For one tick. @throws Error where the run's settings name nothing that can be opened */
  open(options: OpenOptions): EventSource | Promise<EventSource>;
  /** Looks at the source as a run with this scope would meet it. @throws UsageError, SurveyError */
  survey(request: SurveyRequest, signal: AbortSignal): Promise<Survey>;
}

/** The kits of a composition root, by the kind of source. */
export type Sources<Kit = SourceKit> = Readonly<Record<string, Kit>>;

/** @throws Error where this program has no such source */
export function kitFor<Kit>(sources: Sources<Kit>, kind: string): Kit {
  const kit = Object.hasOwn(sources, kind) ? sources[kind] : undefined;
  if (kit !== undefined) return kit;
  throw new Error(
    `the run reads a source of the kind "${kind}", and this program knows ${Object.keys(sources).join(", ")}: run the version that began it`,
  );
}
