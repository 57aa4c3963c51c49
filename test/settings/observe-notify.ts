/** Which notices a webhook gets: one start of the program on the bundled sample, whose run is cancelled at once. */
import { createServer } from "node:http";
import { startProgram, temporaryFolder } from "../support/program.ts";

export interface Webhook extends AsyncDisposable {
  readonly url: string;
  /** Kinds of notices, in the order in which they came. */
  readonly kinds: readonly string[];
}

export async function startWebhook(): Promise<Webhook> {
  const kinds: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => void (text += part));
    request.on("end", () => {
      const message: { readonly notice: { readonly kind: string } } = JSON.parse(text);
      kinds.push(message.notice.kind);
      response.end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    kinds,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The kinds of notices that were sent until the process ended. */
export async function observeNotify(settings: Readonly<Record<string, string>>): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  await using webhook = await startWebhook();
  // The port is not known when the table of settings is written.
  const given = "BACKFILL_NOTIFY_URL" in settings ? { BACKFILL_NOTIFY_URL: webhook.url } : {};
  const program = startProgram(["run", "--until-done"], { PORT: "0", ...given }, folder.path);
  await program.said(/Status page: http/);
  const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(program.stderr()) ?? [];
  const answer = await fetch(`${url}/control`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ action: "cancel" }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  await program.exited;
  return webhook.kinds;
}
