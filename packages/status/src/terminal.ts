/** Builds a line for a terminal from coloured pieces, cut to a width. Text from the network is escaped before (core/log-lines). */
export type Ink = "green" | "yellow" | "red" | "blue" | "dim";

/** A piece of a line: plain, or in a colour. */
export type Piece = string | { readonly text: string; readonly ink: Ink };

const CODES: Readonly<Record<Ink, string>> = { green: "32", yellow: "33", red: "31", blue: "34", dim: "2" };

export interface LineOptions {
  /** Columns; a longer line is cut and ends in an ellipsis. Every character counts as one column. */
  readonly width: number;
  readonly color: boolean;
}

export function terminalLine(pieces: readonly Piece[], { width, color }: LineOptions): string {
  const total = pieces.reduce((sum, piece) => sum + Array.from(textOf(piece)).length, 0);
  let columns = total > width ? width - 1 : total;
  let line = "";
  for (const piece of pieces) {
    const characters = Array.from(textOf(piece)).slice(0, Math.max(0, columns));
    columns -= characters.length;
    line += paint(characters.join(""), typeof piece === "string" ? null : piece.ink, color);
  }
  return total > width ? `${line}…` : line;
}

function textOf(piece: Piece): string {
  return typeof piece === "string" ? piece : piece.text;
}

function paint(text: string, ink: Ink | null, color: boolean): string {
  return color && ink !== null && text !== "" ? `\u001b[${CODES[ink]}m${text}\u001b[0m` : text;
}
