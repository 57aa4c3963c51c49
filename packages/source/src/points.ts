/** Where a run begins and where it ends, as the operator asked for it. */

/** `time`: by event time; `seq`: after that ordinal of the source; `oldest`: everything kept; `live`: now. */
export type StartPoint =
  | { readonly kind: "time"; readonly timeMs: number }
  | { readonly kind: "seq"; readonly seq: number }
  | { readonly kind: "oldest" }
  | { readonly kind: "live" };

/** `caught-up`: at the moment the run began, by event time. */
export type EndPoint =
  | { readonly kind: "caught-up" }
  | { readonly kind: "time"; readonly timeMs: number }
  | { readonly kind: "seq"; readonly seq: number };
