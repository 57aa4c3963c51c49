import type { IncomingMessage, ServerResponse } from "node:http";
import { TOMBSTONE } from "@firehose-backfill/core/did-document";
import { KeyServiceError } from "@firehose-backfill/core/did-resolver";
import { systemClock } from "@firehose-backfill/core/clock";
import { describe, expect, it } from "vitest";
import { openDidClient } from "./did-client.ts";
import { loopbackNames, startServer } from "@firehose-backfill/testing/repos/http-server";
import { ALICE } from "@firehose-backfill/testing/repos/test-repo";

const KEY = "zQ3shULQPBZrbHpyf48oS68ZudUDQNdtWrhV8dafhaTFFUeGP";
const DOCUMENT = JSON.stringify({
  id: ALICE,
  verificationMethod: [{ id: "#atproto", type: "Multikey", controller: ALICE, publicKeyMultibase: KEY }],
  service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: "https://pds.example.com" }],
});

async function ask(answer: (request: IncomingMessage, response: ServerResponse) => void, did = ALICE) {
  await using server = await startServer(answer);
  using client = openDidClient({
    clock: systemClock,
    random: () => 0,
    userAgent: "test/1",
    resolveName: loopbackNames,
    plcUrl: `${server.origin}/`,
  });
  const found = await client.resolveDid(did).catch((error: unknown) => error);
  return { found, asked: server.asked };
}

describe("the PLC directory", () => {
  it("that cannot be reached: each error says why, also of requests that are not sent meanwhile", async () => {
    await using server = await startServer((_, response) => response.end());
    const plcUrl = server.origin;
    await server[Symbol.asyncDispose]();
    using client = openDidClient({
      clock: systemClock,
      random: () => 0,
      userAgent: "test/1",
      resolveName: loopbackNames,
      plcUrl,
    });
    const messages: string[] = [];
    for (const did of [ALICE, ALICE, ALICE]) {
      const error: unknown = await client.resolveDid(did).catch((why: unknown) => why);
      messages.push(error instanceof KeyServiceError ? error.message : String(error));
    }
    expect(messages[0]).toContain(`${plcUrl}: connect ECONNREFUSED`);
    for (const message of messages) {
      // What follows is cut where there is little room.
      expect(message).toContain("ECONNREFUSED");
      expect(message).not.toMatch(/HostError|HostWaitingError/);
    }
    expect(messages[2]).toMatch(/not to be asked again before \d{4}-/);
  });

  it("is asked for the document, with our name", async () => {
    let agent: string | undefined;
    const { found, asked } = await ask((request, response) => {
      agent = request.headers["user-agent"];
      response.end(DOCUMENT);
    });
    expect(found).toMatchObject({ pds: "https://pds.example.com", key: { kind: "k256" } });
    expect([asked, agent]).toEqual([[`/${ALICE}`], "test/1"]);
  });

  it("HTTP 404: there is no such account", async () => {
    expect((await ask((_, response) => response.writeHead(404).end())).found).toBeNull();
  });

  it("issue 15.5: HTTP 410: the DID has ended, and has no key", async () => {
    expect((await ask((_, response) => response.writeHead(410).end())).found).toEqual(TOMBSTONE);
  });

  it("a body above the limit is no document", async () => {
    expect((await ask((_, response) => response.end("x".repeat(100_000)))).found).toBeNull();
  });

  it.each([408, 425, 429, 500, 503])("HTTP %i: nothing is known", async (status) => {
    const { found } = await ask((_, response) => response.writeHead(status).end());
    expect(found).toBeInstanceOf(KeyServiceError);
  });

  it("a redirect is not followed", async () => {
    const { found } = await ask((_, response) => response.writeHead(302, { location: "http://localhost:1/" }).end());
    expect(found).toBeInstanceOf(KeyServiceError);
  });

  it("a connection that breaks: nothing is known", async () => {
    expect((await ask((_, response) => response.destroy())).found).toBeInstanceOf(KeyServiceError);
  });
});

describe("a did:web account's own host", () => {
  it("issue 15.5: is not connected to where its name points to this machine", async () => {
    const asked: string[] = [];
    using client = openDidClient({
      clock: systemClock,
      random: () => 0,
      userAgent: "test/1",
      resolveName: async (name) => {
        asked.push(name);
        return [{ address: "127.0.0.1", family: 4 }];
      },
    });
    const failed = client.resolveDid("did:web:pds.example.com");
    await expect(failed).rejects.toMatchObject({ name: "DidHostError", message: expect.stringContaining("127.0.0.1") });
    expect(await client.resolveKey("did:web:pds.example.com")).toBeNull();
    expect(asked).toEqual(["pds.example.com"]);
  });
});
