/**
 * One connection of Neon's driver, configured for its target: over WebSocket, or over a direct socket. Each client has its own
 * configuration; the driver's global one is not changed.
 */
import { Client, type ClientConfig, type WebSocketConstructor } from "@neondatabase/serverless";
import type { DatabaseTarget } from "./database-url.ts";
import { directSocket } from "./direct-socket.ts";
import { forgetEnvironment } from "./driver-environment.ts";
import { answerScram } from "./scram.ts";

export interface ClientOptions {
  readonly target: DatabaseTarget;
  readonly connectTimeoutMs: number;
  /** Makes the password for each connection, instead of the one in the URL. */
  readonly password?: (() => string) | undefined;
  /** The WebSocket for hosts of Neon. Default: Node's own. */
  readonly webSocket?: WebSocketConstructor | undefined;
}

/**
 * Sets everything that the driver would otherwise read from the environment. Values that are empty here are still read there
 * (see driver-environment.ts).
 */
export function clientConfig({ target, connectTimeoutMs }: ClientOptions): ClientConfig {
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    database: target.database,
    application_name: target.applicationName,
    // The socket does TLS, so the driver must not.
    ssl: false,
    connectionTimeoutMillis: connectTimeoutMs,
    ...(target.options === null ? {} : { options: target.options }),
  };
}

export function clientFor(options: ClientOptions): typeof Client {
  return options.target.transport === "websocket" ? webSocketClient(options) : directClient(options);
}

function webSocketClient({ target, webSocket, password }: ClientOptions): typeof Client {
  return class extends Client {
    constructor(config?: string | ClientConfig) {
      super(config);
      forgetEnvironment(this, withPassword(target, password));
      if (webSocket !== undefined) this.neonConfig.webSocketConstructor = webSocket;
    }
  };
}

function directClient(options: ClientOptions): typeof Client {
  const socket = directSocket(options);
  return class extends Client {
    readonly target: DatabaseTarget;

    constructor(config?: string | ClientConfig) {
      super(config);
      this.target = withPassword(options.target, options.password);
      forgetEnvironment(this, this.target);
      this.neonConfig.webSocketConstructor = socket;
      this.neonConfig.useSecureWebSocket = false;
      this.neonConfig.wsProxy = () => "direct";
      // This sends the password in clear text before the server asks for it, so it is used for Neon's proxy only.
      this.neonConfig.pipelineConnect = false;
      // The driver would combine writes with a timer of 1 ms and by copying. The socket does it without either.
      this.neonConfig.coalesceWrites = false;
    }

    override async _handleAuthSASLContinue(message: { readonly data: string }): Promise<void> {
      const session: { clientNonce: string } = this.saslSession;
      try {
        const answer = await answerScram(session.clientNonce, this.target.password, message.data);
        Object.assign(session, { message: "SASLResponse", ...answer });
        this.connection.sendSCRAMClientFinalMessage(answer.response);
      } catch (error) {
        // The driver calls this from an event and ignores the promise, so a rejection would end the process.
        this.connection.emit("error", error);
      }
    }
  };
}

function withPassword(target: DatabaseTarget, password: (() => string) | undefined): DatabaseTarget {
  return password === undefined ? target : { ...target, password: password() };
}
