/** The next repository of the list. It is asked for in the background, so repositories in work go on meanwhile. */
import type { Clock } from "@firehose-backfill/core/clock";
import { HostWaitingError, troubleText } from "../http/http-errors.ts";
import type { RepoList } from "./repo-list.ts";

const LIST_AGAIN_MS = 30_000;

export interface NextListedOptions {
  readonly list: RepoList;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** Called when the list has answered. */
  readonly onListed: () => void;
}

/** Why the list did not answer, and until when it is not asked again. */
export interface ListTrouble {
  readonly untilMs: number;
  readonly why: string;
}

export class NextListed {
  readonly #options: NextListedOptions;
  #found: { readonly did: string | null } | null = null;
  #asking: Promise<void> | null = null;
  #trouble: ListTrouble | null = null;

  constructor(options: NextListedOptions) {
    this.#options = options;
  }

  /** `did` is null: the list is at its end. null: it has not answered. */
  get found(): { readonly did: string | null } | null {
    return this.#found;
  }

  /** Settles when the list has answered; null: it is not being asked. */
  get asking(): Promise<void> | null {
    return this.#asking;
  }

  get trouble(): ListTrouble | null {
    return this.#trouble;
  }

  /** What was found is dealt with. */
  take(): void {
    this.#found = null;
  }

  ask(signal: AbortSignal): void {
    const { list, clock, log, onListed } = this.#options;
    if (this.#asking !== null || (this.#trouble?.untilMs ?? 0) > clock.now()) return;
    this.#asking = list.next(signal).then(
      (did) => {
        this.#found = { did };
        this.#asking = null;
        this.#trouble = null;
        onListed();
      },
      (error: unknown) => {
        this.#asking = null;
        if (signal.aborted) return;
        const untilMs = error instanceof HostWaitingError ? error.untilMs : clock.now() + LIST_AGAIN_MS;
        this.#trouble = { untilMs, why: troubleText(error) };
        log(`[BACKFILL] The list of repositories: ${this.#trouble.why}`);
      },
    );
  }
}
