/** Created at the first use and kept as long as the environment lives. If creating it fails, the next use tries again. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => (made ??= make());
}
