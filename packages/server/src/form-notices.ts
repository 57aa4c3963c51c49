/**
 * Answers to forms that were sent without a script, until the page that follows shows them. The address of that page has
 * only a name of the answer: text in an address would let any link put words into our page.
 */
import { randomBytes } from "node:crypto";

export interface Notice {
  readonly ok: boolean;
  readonly text: string;
}

export interface FormNotices {
  /** The address of the page that shows it. */
  add(notice: Notice): string;
  /** null: the address names none, or one that is forgotten. */
  find(search: URLSearchParams): Notice | null;
}

const MOST = 20;
const NAME = "answer";

export function createFormNotices(): FormNotices {
  const notices = new Map<string, Notice>();
  return {
    add(notice) {
      const name = randomBytes(9).toString("base64url");
      notices.set(name, notice);
      for (const oldest of notices.keys()) if (notices.size > MOST) notices.delete(oldest);
      return `/?${NAME}=${name}`;
    },
    find: (search) => notices.get(search.get(NAME) ?? "") ?? null,
  };
}
