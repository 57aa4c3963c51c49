/** Finds the known word that was probably meant. */

/** null if no word is similar: a random guess is worse than none. */
export function nearest(word: string, known: readonly string[]): string | null {
  const near = known
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate) }))
    .toSorted((left, right) => left.distance - right.distance)[0];
  return near !== undefined && near.distance <= Math.max(1, Math.floor(near.candidate.length / 3))
    ? near.candidate
    : null;
}

/** ` Did you mean X?`, or nothing. */
export function suggestion(word: string, known: readonly string[], prefix = ""): string {
  const meant = nearest(word, known);
  return meant === null ? "" : ` Did you mean ${prefix}${meant}?`;
}

/** How many characters to add, drop, change or swap. */
function distance(left: string, right: string): number {
  const rows = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const changed = left[i - 1] === right[j - 1] ? 0 : 1;
      const steps = [at(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(rows, i - 1, j - 1) + changed];
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (isSwap) steps.push(at(rows, i - 2, j - 2) + 1);
      row.push(Math.min(...steps));
    }
    rows.push(row);
  }
  return at(rows, left.length, right.length);
}

function at(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0;
}
