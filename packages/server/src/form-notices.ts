/**
 * Stores the answers to forms that were sent without a script, until the page after them shows them. The address of that page
 * has only the answer's name: if it had the text, any link could put words into our page.
 */
import { randomBytes } from "node:crypto";

export interface Notice {
  readonly ok: boolean;
  readonly text: string;
  /** The control event's action. */
  readonly action: string;
}

export interface FormNotices {
  /** The address of the page that shows the answer. `run`: the run that the form named; null: none. */
  add(notice: Notice, run: string | null): string;
  /** null: the address names no answer, or one that was already removed. */
  find(search: URLSearchParams): Notice | null;
}

const MOST = 20;
const NAME = "answer";

export function createFormNotices(): FormNotices {
  const notices = new Map<string, Notice>();
  return {
    add(notice, run) {
      const name = randomBytes(9).toString("base64url");
      notices.set(name, notice);
      for (const oldest of notices.keys()) if (notices.size > MOST) notices.delete(oldest);
      return run === null ? `/?${NAME}=${name}` : `/?run=${encodeURIComponent(run)}&${NAME}=${name}`;
    },
    find: (search) => notices.get(search.get(NAME) ?? "") ?? null,
  };
}
