/** The product's version: said in the User-Agent, in status and by `--version`. */
export const VERSION = "0.1.0";
