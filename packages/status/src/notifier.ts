/**
 * Sends notices about a run to a webhook: each once, even across restarts, because the sent ones are stored with the run.
 * It never blocks or fails the run. If a notice could not be sent, it is tried again with growing pauses.
 */
import type { NoteStore } from "@firehose-backfill/checkpoint/note-store";
import { MAX_OPEN_RUNS } from "@firehose-backfill/checkpoint/run";
import type { Clock } from "@firehose-backfill/core/clock";
import { describeError } from "@firehose-backfill/core/errors";
import { dueNotices, type Notice, noticesOf, stillTold, type Told } from "./notices.ts";
import type { Snapshot } from "./snapshot.ts";

export interface NotifierOptions {
  readonly store: Pick<NoteStore, "getNotices" | "putNotices">;
  readonly clock: Clock;
  /** Resolves when the receiver has accepted it. @throws Error whose message does not contain the address */
  readonly post: (message: NoticeMessage) => Promise<void>;
  readonly log: (line: string) => void;
}

/** Slack reads `text`, Discord reads `content` and `allowed_mentions`; `notice` is for programs. */
export interface NoticeMessage {
  readonly text: string;
  readonly content: string;
  readonly allowed_mentions: { readonly parse: readonly never[] };
  readonly notice: {
    readonly kind: string;
    readonly run: string | null;
    readonly name: string | null;
    readonly host: string | null;
    readonly status: string;
    readonly verdict: Snapshot["verdict"];
    readonly at: string;
  };
}

export interface Notifier {
  /** Checks a run and sends what is due. Never rejects. While a check of the same run is running, another call does nothing. */
  look(snapshot: Snapshot): Promise<void>;
}

/** Another process may have sent notices meanwhile: after this long without a check, the stored ones are read again. */
const REMEMBERED_MS = 300_000;
const MOST_REMEMBERED = 2 * MAX_OPEN_RUNS;
const FIRST_RETRY_MS = 30_000;
const LAST_RETRY_MS = 600_000;
/** Discord accepts at most 2,000 characters. */
const MAX_TEXT_CHARS = 1_900;

interface Remembered {
  readonly told: Told;
  readonly lookedAtMs: number;
}

export function createNotifier({ store, clock, post, log }: NotifierOptions): Notifier {
  const remembered = new Map<string, Remembered>();
  /** The runs that are being checked: a receiver that is slow for one run delays no other. */
  const looking = new Set<string>();
  let retryAtMs = 0;
  let retryMs = 0;

  const toldOf = async (runId: string): Promise<Told> => {
    const known = remembered.get(runId);
    if (known !== undefined && clock.now() - known.lookedAtMs < REMEMBERED_MS) return known.told;
    return await store.getNotices(runId);
  };

  const remember = async (runId: string, before: Told, told: Told): Promise<void> => {
    if (JSON.stringify(before) !== JSON.stringify(told)) await store.putNotices(runId, told);
    remembered.delete(runId);
    remembered.set(runId, { told, lookedAtMs: clock.now() });
    // What is forgotten is read again from the store.
    for (const oldest of remembered.keys()) if (remembered.size > MOST_REMEMBERED) remembered.delete(oldest);
  };

  const send = async (snapshot: Snapshot, notices: readonly Notice[], told: Told): Promise<Told> => {
    let now = told;
    if (notices.length > 0 && clock.now() < retryAtMs) return now;
    for (const notice of notices) {
      try {
        await post(messageOf(notice, snapshot));
        now = { ...now, [notice.kind]: clock.now() };
        retryMs = 0;
      } catch (error) {
        retryMs = retryMs === 0 ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, 2 * retryMs);
        retryAtMs = clock.now() + retryMs;
        log(
          `[BACKFILL] A notice (${notice.kind}) could not be sent and is tried again in ${retryMs / 1000} s: ${describeError(error)}`,
        );
        break;
      }
    }
    return now;
  };

  return {
    async look(snapshot) {
      const { runId } = snapshot;
      if (runId === null || looking.has(runId)) return;
      looking.add(runId);
      try {
        const notices = noticesOf(snapshot);
        const before = await toldOf(runId);
        const still = stillTold(notices, before, clock.now());
        const after = await send(snapshot, dueNotices(notices, still), still);
        await remember(runId, before, after);
      } catch (error) {
        log(`[BACKFILL] What was told of the run is not known: ${describeError(error)}`);
      } finally {
        looking.delete(runId);
      }
    },
  };
}

function messageOf({ kind, text }: Notice, { runId, name, host, status, verdict, at }: Snapshot): NoticeMessage {
  const short = text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}…`.toWellFormed() : text;
  return {
    // In Slack's text these three characters are markup: `<!channel>` would notify everybody.
    text: short.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    content: short,
    allowed_mentions: { parse: [] },
    notice: { kind, run: runId, name, host, status, verdict, at },
  };
}
