import { Agent } from "node:http";
import { connect } from "node:net";
import { systemClock } from "@firehose-backfill/core/clock";
import { describe, expect, it, vi } from "vitest";
import { clientOf, LIMITS } from "@firehose-backfill/testing/repos/clients";
import { loopbackNames, startServer } from "@firehose-backfill/testing/repos/http-server";
import type { ResolveName } from "./guarded-lookup.ts";
import { openAgents, sendGet } from "./request.ts";

describe("where we connect to", () => {
  const connectedTo = async (addresses: readonly string[], origin = "https://pds.example.com") => {
    const { client, failure } = clientOf({
      rules: { allowLoopback: false },
      resolveName: async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    });
    using _ = client;
    return await failure(origin);
  };

  it.each([
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.0.1",
    "::1",
    "fe80::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
  ])("issue 15.5: a public name that points to %s is refused", async (address) => {
    expect(await connectedTo([address])).toMatchObject({
      name: "ForbiddenAddressError",
      message: expect.stringContaining(address),
    });
  });

  it("issue 15.5: one private address among public ones is enough", async () => {
    expect(await connectedTo(["1.1.1.1", "10.0.0.1"])).toMatchObject({ name: "ForbiddenAddressError" });
  });

  it("a name without an address", async () => {
    expect(await connectedTo([])).toMatchObject({
      name: "ForbiddenAddressError",
      message: "pds.example.com has no address",
    });
  });

  it.each([
    "http://pds.example.com",
    "https://localhost",
    "https://127.0.0.1",
    "https://[::ffff:127.0.0.1]",
    "http://localhost:80",
  ])("issue 15.5: %s is not even looked up", async (origin) => {
    const resolveName = vi.fn<ResolveName>(loopbackNames);
    const { client, failure } = clientOf({ rules: { allowLoopback: false }, resolveName });
    using _ = client;
    expect(await failure(origin)).toMatchObject({ name: "ForbiddenAddressError" });
    expect(resolveName).not.toHaveBeenCalled();
  });

  it("issue 15.5: rebinding: the address that was looked up for the connection is the one that is checked, every time", async () => {
    const answers = ["1.1.1.1", "127.0.0.1"];
    const asked: string[] = [];
    const resolveName = async () => {
      const address = answers[Math.min(asked.length, 1)] ?? "";
      asked.push(address);
      return [{ address, family: 4 }];
    };
    const { client, failure } = clientOf({ rules: { allowLoopback: false }, resolveName });
    using _ = client;
    // The first look-up, as a check before the request would make it, is spent here; the connection makes its own.
    await resolveName();
    expect(await failure("https://pds.example.com")).toMatchObject({ name: "ForbiddenAddressError" });
    expect(asked).toEqual(["1.1.1.1", "127.0.0.1"]);
  });

  it("issue 15.5: the address of the socket is checked, whatever made the connection", async () => {
    await using server = await startServer((_, response) => response.end("secret"));
    const agent = new Agent();
    agent.createConnection = () => connect(server.port, "127.0.0.1");
    const agents = { ...openAgents(), http: agent };
    const endpoint = {
      origin: "http://pds.example.com",
      host: "pds.example.com:80",
      hostname: "pds.example.com",
      port: 80,
      isSecure: false,
      isLoopback: false,
    };
    const sent = sendGet(
      { endpoint, path: "/", accept: "*/*" },
      LIMITS,
      { agents, clock: systemClock, resolveName: loopbackNames, userAgent: "test/1" },
      new AbortController().signal,
      async () => "answered",
    );
    await expect(sent).rejects.toMatchObject({ name: "ForbiddenAddressError" });
    expect(server.asked).toEqual([]);
    agents.https.destroy();
    agent.destroy();
  });

  it("loopback, where it is allowed, is this machine and nothing behind a local name", async () => {
    const { client, failure } = clientOf({ resolveName: async () => [{ address: "10.0.0.1", family: 4 }] });
    using _ = client;
    expect(await failure("http://pds.localhost:9")).toMatchObject({
      name: "ForbiddenAddressError",
      message: expect.stringContaining("not this machine"),
    });
  });
});
