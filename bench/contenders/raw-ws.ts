/** The floor under every reader: frames received, nothing done with them. */
import type { Contender } from "./contender.ts";
import { readingWith } from "./ws-stream.ts";

export const contender: Contender = { name: "ws alone", read: { receive: readingWith(() => 0) } };
