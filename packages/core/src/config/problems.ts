/** The sentences in which a configuration is refused: the variable, what it held, and what it takes. */
import { escapeForLog } from "../log-lines.ts";
import { SETTINGS } from "./definitions.ts";
import type { SettingDefinition } from "./kinds.ts";

export function wrongValue(definition: SettingDefinition, held: string, detail: string): string {
  const because = detail === "" ? "" : ` (${detail})`;
  return `${definition.name} is ${definition.kind.showHeld(held)}${because}; it takes ${definition.kind.takes}`;
}

/** Names the setting that was probably meant, out of those that may be set here. */
export function unknownName(name: string, known: readonly SettingDefinition[] = SETTINGS): string {
  const shown = escapeForLog(name, 80);
  const nearest = nearestName(
    name,
    known.map((definition) => definition.name),
  );
  return nearest === null ? `${shown} is not a setting` : `${shown} is not a setting; did you mean ${nearest}?`;
}

/** Null when none is near: a guess at random is worse than none. */
function nearestName(name: string, known: readonly string[]): string | null {
  const best = nearestOf(name, known);
  return best.distance <= Math.max(2, best.name.length / 4) ? best.name : null;
}

interface Near {
  readonly name: string;
  /** Characters to add, drop or change. */
  readonly distance: number;
}

/** The setting whose name is nearest, however far that is. */
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

/** Levenshtein's: how many characters to add, drop or change. */
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
