/** Rounds times and figures for a Snapshot. Pure. */

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Rounds down, so that a figure is never higher than the real one. */
export function floorOrNull(value: number | null, digits: number): number | null {
  const scale = 10 ** digits;
  // A difference beyond the ninth digit is a rounding error.
  return value === null ? null : Math.floor(Number((value * scale).toFixed(9))) / scale;
}

export function roundOrNull(value: number | null, digits: number): number | null {
  return value === null ? null : round(value, digits);
}
