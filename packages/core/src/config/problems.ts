/** The sentences with which a configuration is refused: the variable, the value it had, and what it takes. */
import { escapeForLog } from "../log-lines.ts";
import { SETTINGS } from "./definitions.ts";
import type { SettingDefinition } from "./kinds.ts";

export function wrongValue(definition: SettingDefinition, held: string, detail: string): string {
  const because = detail === "" ? "" : ` (${detail})`;
  return `${definition.name} is ${definition.kind.showHeld(held)}${because}; it takes ${definition.kind.takes}`;
}

/** Names the setting that was probably meant, among those that may be set in this place. */
export function unknownName(name: string, known: readonly SettingDefinition[] = SETTINGS): string {
  const shown = escapeForLog(name, 80);
  const nearest = nearestName(
    name,
    known.map((definition) => definition.name),
  );
  return nearest === null ? `${shown} is not a setting` : `${shown} is not a setting; did you mean ${nearest}?`;
}

/** Null if no name is similar: a random guess is worse than none. */
function nearestName(name: string, known: readonly string[]): string | null {
  const best = nearestOf(name, known);
  return best.distance <= Math.max(2, best.name.length / 4) ? best.name : null;
}

interface Near {
  readonly name: string;
  /** Characters to add, drop or change. */
  readonly distance: number;
}

/** The setting with the most similar name, however different it is. */
export function nearestSetting(name: string): Near {
  return nearestOf(
    name,
    SETTINGS.map((definition) => definition.name),
  );
}

function nearestOf(name: string, known: readonly string[]): Near {
  const wanted = name.toUpperCase().slice(0, 80);
  const near = known.map((candidate) => ({ name: candidate, distance: editDistance(wanted, candidate) }));
  return near.reduce((left, right) => (right.distance < left.distance ? right : left));
}

/** Levenshtein distance: how many characters to add, drop or change. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isChanged = left[row - 1] === right[column - 1] ? 0 : 1;
      const change = (previous[column - 1] ?? 0) + isChanged;
      current.push(Math.min(change, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
