/** The parts of dynalite 4 that we use; it has no types of its own. */
declare module "dynalite" {
  import type { Server } from "node:http";

  export interface DynaliteOptions {
    /** The folder of its LevelDB; without it, everything is in memory. */
    readonly path?: string;
    /** How long a new table stays in CREATING. Default: 500. */
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
  }

  export default function dynalite(options?: DynaliteOptions): Server;
}
