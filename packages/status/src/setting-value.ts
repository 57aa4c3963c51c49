/** The value of a setting that a person typed, for a control event: whole numbers and true/false as such, the rest as text. */
export function settingValue(text: string): string | number | boolean {
  if (text === "true") return true;
  if (text === "false") return false;
  // Nothing is guessed: a value that is not a plain number stays text, and the control says what it takes.
  const number = /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : text;
}
