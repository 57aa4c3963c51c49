/** Servers for this package's tests that are not Postgres, or are in front of one. */
import { createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP server on 127.0.0.1. */
export async function listen(
  onConnection: (socket: Socket) => void,
  port = 0,
): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    onConnection(socket);
  });
  await new Promise<void>((resolve, reject) => listener.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    port: portOf(listener.address()),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("not a TCP listener");
  return address.port;
}
