/** What is used of dynalite 4, which has no types of its own. */
declare module "dynalite" {
  import type { Server } from "node:http";

  export interface DynaliteOptions {
    /** The folder of its LevelDB; in memory unless told. */
    readonly path?: string;
    /** How long a new table stays in CREATING. 500. */
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
  }

  export default function dynalite(options?: DynaliteOptions): Server;
}
