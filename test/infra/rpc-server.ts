/** The part of SST's CLI that its components talk to while the program runs: where assets go, and the built handlers. */
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcServer {
  readonly url: string;
  /** The names of what is linked to each function that was built, or that runs on the developer's machine. */
  readonly links: Readonly<Record<string, readonly string[]>>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Call {
  readonly method: string;
  readonly params: readonly [Record<string, unknown>];
}

export async function startRpcServer(work: string): Promise<RpcServer> {
  const links: Record<string, readonly string[]> = {};
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const call = JSON.parse(Buffer.concat(chunks).toString()) as Call;
      const [{ functionID, links: linked }] = call.params;
      if (typeof functionID === "string") links[functionID] = Object.keys(linked ?? {});
      response.end(JSON.stringify(await answer(call, work)));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    links,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { method, params: [input] }: Call,
  work: string,
): Promise<{ result: unknown } | { error: string }> {
  switch (method) {
    case "Provider.Aws.Bootstrap":
      return {
        result: { asset: "sst-asset-synth", state: "sst-state-synth", assetEcrRegistryId: "", assetEcrUrl: "" },
      };
    case "Provider.Aws.Appsync":
      // As long as the real ones, which go into every environment of `sst dev`.
      return {
        result: {
          http: "abcdefghijklmnopqrstuvwxyz.appsync-api.eu-central-1.amazonaws.com",
          realtime: "abcdefghijklmnopqrstuvwxyz.appsync-realtime-api.eu-central-1.amazonaws.com",
        },
      };
    case "Runtime.AddTarget":
      return { result: {} };
    case "Runtime.Build": {
      // Not the handler itself: test/functions builds and runs those. A file for the archive, named as SST would.
      const out = `${work}/${String(input["functionID"])}-src`;
      await mkdir(out, { recursive: true });
      await writeFile(`${out}/bundle.mjs`, "export {};\n");
      return { result: { handler: input["handler"], out, errors: [], sourcemaps: [] } };
    }
    default:
      return { error: `no answer for ${method}` };
  }
}
