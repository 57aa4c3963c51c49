/** The lines of one stage: between its functions and the queue, the table and the database. */
import { type Line, startLine } from "../support/line.ts";

export interface Lines extends AsyncDisposable {
  /** The same address, through a line. */
  through(url: string): Promise<string>;
  /** Connections that are open and work. */
  open(): number;
  /** On every connection that is open now: nothing is answered any more, and nothing is closed. */
  goSilent(): void;
  /** The far side closes every connection that is open now. */
  close(): void;
}

export function startLines(): Lines {
  const lines: Line[] = [];
  return {
    async through(url) {
      const address = new URL(url);
      const line = await startLine({ host: address.hostname, port: Number(address.port) });
      lines.push(line);
      address.port = String(line.port);
      // A URL without a path gets one, which an endpoint has not.
      return address.pathname === "/" ? address.href.replace(/\/$/, "") : address.href;
    },
    open: () => lines.reduce((sum, line) => sum + line.open(), 0),
    goSilent() {
      for (const line of lines) line.goSilent();
    },
    close() {
      for (const line of lines) line.close();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(lines.map((line) => line[Symbol.asyncDispose]()));
    },
  };
}
