/** The beginning of a text that may be too long to keep or to show. */

/** The first `maxChars` characters and an ellipsis; a shorter text as it is. Half a surrogate pair at the cut is replaced, because CBOR cannot hold it. */
export function cutText(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).toWellFormed()}…`;
}
