/** The product's version: in the User-Agent, in status and in `--version`. */
export const VERSION = "0.1.0";
