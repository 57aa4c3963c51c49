/** What the leaking consumer and its test agree on. */
export const LEAK_MB = 50;
export const PAUSE_DIVISOR = 50;
