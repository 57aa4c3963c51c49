/** Where a run begins and ends, as the operator requested it. */

/** `time`: by event time; `seq`: after that ordinal of the source; `oldest`: everything kept; `live`: now. */
export type StartPoint =
  | { readonly kind: "time"; readonly timeMs: number }
  | { readonly kind: "seq"; readonly seq: number }
  | { readonly kind: "oldest" }
  | { readonly kind: "live" };

/** `caught-up`: at the moment when the run began, by event time. */
export type EndPoint =
  | { readonly kind: "caught-up" }
  | { readonly kind: "time"; readonly timeMs: number }
  | { readonly kind: "seq"; readonly seq: number };
