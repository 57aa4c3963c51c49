/**
 * One connection of Neon's driver, set up for its target: over WebSocket as it comes, or over a direct socket.
 * Configuration is each client's own; the driver's global one is left alone.
 */
import { Client, type ClientConfig, type WebSocketConstructor } from "@neondatabase/serverless";
import type { DatabaseTarget } from "./database-url.ts";
import { directSocket } from "./direct-socket.ts";
import { forgetEnvironment } from "./driver-environment.ts";
import { answerScram } from "./scram.ts";

export interface ClientOptions {
  readonly target: DatabaseTarget;
  readonly connectTimeoutMs: number;
  /** Made for each connection, in the place of the target's own. */
  readonly password?: (() => string) | undefined;
  /** For hosts of Neon; Node's own WebSocket when it is left out. */
  readonly webSocket?: WebSocketConstructor | undefined;
}

/** All that the driver would otherwise look up in the environment; what is empty here it looks up all the same (driver-environment.ts). */
export function clientConfig({ target, connectTimeoutMs }: ClientOptions): ClientConfig {
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    database: target.database,
    application_name: target.applicationName,
    // TLS is the socket's business, below the driver.
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
      // Sends the password before it is asked for, in the clear: for Neon's proxy only.
      this.neonConfig.pipelineConnect = false;
      // By a timer of 1 ms, and by copying; the socket does it without either.
      this.neonConfig.coalesceWrites = false;
    }

    override async _handleAuthSASLContinue(message: { readonly data: string }): Promise<void> {
      const session: { clientNonce: string } = this.saslSession;
      try {
        const answer = await answerScram(session.clientNonce, this.target.password, message.data);
        Object.assign(session, { message: "SASLResponse", ...answer });
        this.connection.sendSCRAMClientFinalMessage(answer.response);
      } catch (error) {
        // The driver calls this from an event and looks at no promise: a rejection would end the process.
        this.connection.emit("error", error);
      }
    }
  };
}

function withPassword(target: DatabaseTarget, password: (() => string) | undefined): DatabaseTarget {
  return password === undefined ? target : { ...target, password: password() };
}
