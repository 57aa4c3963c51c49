/**
 * TLS inside a Postgres connection: request it (SSLRequest), then pass the socket to node:tls. What is verified follows libpq's
 * rule for `sslmode`, except that `prefer` does not try again without TLS if the handshake itself fails.
 */
import { readFile } from "node:fs/promises";
import { isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import type { DatabaseTarget } from "./database-url.ts";

/** Length 8, code 80877103. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);

const YES = 0x53;
const NO = 0x4e;

/** Resolves with the socket to use: an encrypted one, or the same one if the mode allows that. */
export async function upgradeToTls(socket: Socket, target: DatabaseTarget): Promise<Socket> {
  socket.write(SSL_REQUEST);
  const answer = await firstChunk(socket);
  // Exactly one byte: more bytes before the handshake would come from a sender that TLS has not verified.
  if (answer.length !== 1) throw new Error("the server answered the request for TLS with more than one byte");
  if (answer[0] === NO) {
    if (target.sslMode === "prefer") return socket;
    throw new Error(`the server does not support TLS, but sslmode is ${target.sslMode}`);
  }
  if (answer[0] !== YES) throw new Error("the server does not answer like a Postgres");
  const secure = connectTls({ ...(await tlsOptions(target)), socket });
  await new Promise<void>((resolve, reject) => {
    secure.once("secureConnect", resolve);
    secure.once("error", reject);
    secure.once("close", () => reject(new Error("the connection was closed during the TLS handshake")));
  });
  return secure;
}

async function tlsOptions(target: DatabaseTarget): Promise<ConnectionOptions> {
  const verifyChain = target.sslMode === "verify-ca" || target.sslMode === "verify-full";
  return {
    rejectUnauthorized: verifyChain,
    ...(target.sslMode === "verify-full" ? { host: target.host } : { checkServerIdentity: () => undefined }),
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    ...(target.sslRootCert === null ? {} : { ca: await readFile(target.sslRootCert) }),
    ...(target.sslCert === null ? {} : { cert: await readFile(target.sslCert) }),
    ...(target.sslKey === null ? {} : { key: await readFile(target.sslKey) }),
  };
}

function firstChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => finish(() => resolve(chunk));
    const onError = (error: Error) => finish(() => reject(error));
    const onClose = () => finish(() => reject(new Error("the connection was closed")));
    const finish = (conclude: () => void) => {
      socket.off("data", onData).off("error", onError).off("close", onClose);
      // Paused between two readers, so that the handshake's first bytes wait for TLS.
      socket.pause();
      conclude();
    };
    socket.on("data", onData).on("error", onError).on("close", onClose);
  });
}
