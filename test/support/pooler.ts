/** A proxy in front of Postgres, like a pooler: it breaks connections, and answers new ones with an error while the database is away. */
import { connect, createServer, type Socket } from "node:net";

export interface Pooler extends AsyncDisposable {
  /** The given URL, through the proxy. */
  readonly databaseUrl: string;
  /** How many sessions were answered with the error. */
  readonly refused: () => number;
  /** Breaks all open connections, and answers each new session with this error until up(). */
  down(sqlState: string, message: string): void;
  up(): void;
}

const SSL_REQUEST = 80_877_103;

export async function startPooler(databaseUrl: string): Promise<Pooler> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let answer: Buffer | null = null;
  let refused = 0;
  const server = createServer((client) => {
    track(client);
    if (answer === null) {
      const postgres = track(connect(Number(target.port), target.hostname));
      client.pipe(postgres).pipe(client);
      client.once("close", () => postgres.destroy());
      postgres.once("close", () => client.destroy());
      return;
    }
    const last = answer;
    client.on("data", (data) => {
      if (data.length === 8 && data.readUInt32BE(4) === SSL_REQUEST) client.write("N");
      else {
        refused += 1;
        client.end(last);
      }
    });
  });
  const track = (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const through = new URL(databaseUrl);
  through.port = String(address.port);
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    databaseUrl: through.href,
    refused: () => refused,
    down(sqlState, message) {
      answer = errorResponse(sqlState, message);
      breakAll();
    },
    up: () => void (answer = null),
    async [Symbol.asyncDispose]() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An error response of the Postgres protocol: FATAL, the code, the message. */
function errorResponse(sqlState: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`);
  const head = Buffer.alloc(5, "E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
