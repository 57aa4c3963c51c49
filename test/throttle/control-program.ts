/** Steers a program that runs, over its page, as the command line does. */
import type { Snapshot } from "@firehose-backfill/status/snapshot";
import type { Program } from "../support/program.ts";

export interface Steering {
  status(): Promise<Snapshot>;
  /** @throws what the program answers */
  tune(settings: Readonly<Record<string, number>>): Promise<void>;
}

/** Resolves once its page is up. */
export async function steer(program: Program): Promise<Steering> {
  await program.said("Status page: http");
  const url = /Status page: (http:\S+)/.exec(program.stderr())?.[1];
  return {
    async status() {
      const response = await fetch(`${url}/status.json`);
      const snapshot: Snapshot = JSON.parse(await response.text());
      return snapshot;
    },
    async tune(settings) {
      const response = await fetch(`${url}/control`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ action: "tune", settings }),
      });
      if (!response.ok) throw new Error(await response.text());
    },
  };
}
