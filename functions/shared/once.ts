/** Made at the first use and kept for as long as the environment lives. What throws is tried again at the next use. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => (made ??= make());
}
