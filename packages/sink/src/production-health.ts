/** Whether the production database is healthy. The consumer asks before each batch. */
export interface ProductionHealth {
  /** Never rejects. The answer may be a few seconds old. Healthy when no query is configured. */
  health(): Promise<Health>;
}

export type Health =
  | { readonly kind: "healthy" }
  /** `because`: `throttle query: 3 > 0`, `throttle query: timed out`, ... A check that cannot be made is unhealthy. */
  | { readonly kind: "unhealthy"; readonly because: string };
