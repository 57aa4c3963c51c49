/** What the walk of a repository comes to next. */
import type { ProvedRange } from "../walk/proved-range.ts";
import type { UnavailableState } from "../xrpc/xrpc-error.ts";

export type RepoStep =
  /** `isWalkOnly`: its archive is not worth asking for, whatever room a later tick has. */
  | { readonly kind: "range"; readonly range: ProvedRange; readonly isWalkOnly: boolean }
  /** Nothing that is wanted is left. */
  | { readonly kind: "finished" }
  /** Its host does not serve it, and its DID document names no other one; or its DID has ended. Final until the account itself changes. */
  | { readonly kind: "inactive"; readonly state: UnavailableState }
  /** It will never be read as it is. */
  | { readonly kind: "gave-up"; readonly reason: string; readonly error: string }
  /** Not before that moment. */
  | { readonly kind: "later"; readonly dueMs: number; readonly isFailure: boolean; readonly why: string }
  /** The directory of DIDs cannot be asked: that is no repository's fault. */
  | { readonly kind: "directory"; readonly error: string }
  | { readonly kind: "stopped" };
