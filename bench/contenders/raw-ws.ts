/** The lower bound for every reader: frames are received and dropped. */
import type { Contender } from "./contender.ts";
import { readingWith } from "./ws-stream.ts";

export const contender: Contender = { name: "ws alone", read: { receive: readingWith(() => 0) } };
