import { createServer } from "node:net";
import { expect, test, vi } from "vitest";
import { publishTo } from "./topic.ts";

test("issue 12.7: a topic that does not answer is given up, well within the time of a function", async () => {
  const silent = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => {
    silent.listen(0, "127.0.0.1", resolve);
  });
  const address = silent.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  vi.stubEnv("AWS_ENDPOINT_URL_SNS", `http://127.0.0.1:${address.port}`);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "x");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "x");
  try {
    const began = performance.now();
    const publish = publishTo("arn:aws:sns:us-east-1:000000000000:alarms");
    await expect(publish({ subject: "s", message: "m" })).rejects.toThrow(/timed out|timeout|within/i);
    expect(performance.now() - began).toBeLessThan(8_000);
  } finally {
    vi.unstubAllEnvs();
    silent.close();
  }
}, 20_000);
