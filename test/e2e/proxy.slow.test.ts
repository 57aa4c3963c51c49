/** A machine behind a proxy: what is on loopback is never asked through it, whatever the environment says. */
import { createServer } from "node:net";
import { expect, test, vi } from "vitest";
import { runProgram, startProgram, temporaryFolder } from "../support/program.ts";

/** Keeps the first line of whatever is asked of it, and answers nothing of use. */
async function startProxy() {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", (bytes) => {
        asked.push(bytes.toString("latin1").split("\r\n", 1).join());
        socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

test.each([[{}], [{ NO_PROXY: "example.com", no_proxy: "" }]])(
  "fault 24: with NODE_USE_ENV_PROXY and every proxy variable, %j",
  async (more: Readonly<Record<string, string>>) => {
    await using folder = await temporaryFolder();
    await using proxy = await startProxy();
    const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    const env = {
      BACKFILL_DATA_DIR: `${folder.path}/data`,
      NODE_USE_ENV_PROXY: "1",
      ...Object.fromEntries(names.map((name) => [name, proxy.url])),
      ...more,
    };
    const program = startProgram(["run", "--consumers", "process"], env);
    await program.said("Status page");
    await vi.waitFor(
      async () => {
        const status = await runProgram(["status", "--json"], env);
        expect(status.stderr).toBe("");
        expect(JSON.parse(status.stdout).processed).toBeGreaterThan(0);
      },
      { timeout: 60_000, interval: 100 },
    );
    for (const command of [["pause"], ["resume"], ["tune", "BACKFILL_BATCH_SIZE=6"], ["tick"], ["plan"]])
      expect({ command, ...(await runProgram(command, env)) }).toMatchObject({ command, code: 0 });
    const doctor = await runProgram(["doctor", "--json"], env);
    expect(doctor.stdout).toContain("already running here");
    program.child.kill("SIGTERM");
    expect(await program.exited).toBe(143);
    expect(proxy.asked).toEqual([]);
  },
  120_000,
);
