/** The largest size of a queue message: the deploy sets it, the program packs by it, `doctor` checks it. */

/** The most that SQS allows, and what a queue of this program must accept. The default of SQS is a quarter of it. */
export const NEEDED_MESSAGE_BYTES = 1024 * 1024;
