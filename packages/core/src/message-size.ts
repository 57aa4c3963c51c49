/** How large a message of the queue may be: the deploy sets it, the program packs by it, `doctor` looks for it. */

/** What SQS allows at most, and what a queue of this program takes. SQS's own default is a quarter of it. */
export const NEEDED_MESSAGE_BYTES = 1024 * 1024;
