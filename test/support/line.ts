/**
 * A line between a program and its server, on loopback: bytes go through as they are, until the far side closes every
 * connection that is open, or stops to answer on them without a word (no FIN, no RST), as a network does that forgot them.
 * Connections that are made later work.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Line extends AsyncDisposable {
  readonly port: number;
  /** How many connections are open and work. */
  open(): number;
  /** Of each connection that is open now, nothing is passed on any more. */
  goSilent(): void;
  /** The far side closes each connection that is open now. */
  close(): void;
}

export async function startLine(target: { readonly host: string; readonly port: number }): Promise<Line> {
  const pairs = new Map<Socket, Socket>();
  const silent = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect(target);
    pairs.set(near, far);
    near.on("error", () => far.destroy()).pipe(far);
    far.on("error", () => near.destroy()).pipe(near);
    near.on("close", () => {
      pairs.delete(near);
      silent.delete(near);
      far.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: portOf(server),
    open: () => pairs.size,
    goSilent() {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        // What comes is read and thrown away: a kernel that takes bytes says nothing to the sender.
        near.resume();
        far.destroy();
        pairs.delete(near);
        silent.add(near);
      }
    },
    close() {
      for (const [near, far] of pairs) {
        near.end();
        far.destroy();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const [near, far] of pairs) {
        near.destroy();
        far.destroy();
      }
      for (const near of silent) near.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP port");
  return address.port;
}
