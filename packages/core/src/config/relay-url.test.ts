import { describe, expect, test } from "vitest";
import { hostKey } from "./host-key.ts";
import { relayUrl } from "./relay-url.ts";

const parse = (text: string) => relayUrl.parse(text, { readFile: null });

test.each([
  ["wss://bsky.network", "wss://bsky.network", "bsky.network"],
  ["wss://Relay1.US-East.bsky.network/", "wss://relay1.us-east.bsky.network", "relay1.us-east.bsky.network"],
  ["WSS://a.test:8443", "wss://a.test:8443", "a.test:8443"],
  ["wss://a.test:443", "wss://a.test:443", "a.test:443"],
  ["wss://bücher.example", "wss://xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["ws://127.0.0.1:2583", "ws://127.0.0.1:2583", "127.0.0.1:2583"],
  ["ws://127.8.9.1:2583", "ws://127.8.9.1:2583", "127.8.9.1:2583"],
  ["ws://localhost:2583/", "ws://localhost:2583", "localhost:2583"],
  ["ws://[::1]:2583", "ws://[::1]:2583", "[::1]:2583"],
  ["wss://127.0.0.1", "wss://127.0.0.1", "127.0.0.1"],
])("%s is taken as %s, and its cursors belong to %s", (text, value, key) => {
  expect(parse(text)).toEqual({ value });
  expect(hostKey(value)).toBe(key);
});

describe("refused", () => {
  test.each([
    ["bsky.network", "not a URL"],
    ["wss://", "not a URL"],
    ["wss://a b.test", "not a URL"],
    ["wss://a.test:99999", "not a URL"],
    ["wss://1.2.3.4.5", "not a URL"],
    ["https://bsky.network", "not a WebSocket URL"],
    ["file:///etc/passwd", "not a WebSocket URL"],
    ["wss://u:p@a.test", "no credentials here"],
    ["wss://u@a.test", "no credentials here"],
    ["wss://@a.test", "no credentials here"],
    ["wss://a.test/xrpc/com.atproto.sync.subscribeRepos", "no path or query here"],
    ["wss://a.test?cursor=0", "no path or query here"],
    ["wss://a.test/?", "no path or query here"],
    ["wss://a.test#", "no path or query here"],
    ["wss:\\\\a.test", "no path or query here"],
    ["wss://a.test:0", "port 0 cannot be connected to"],
    ["ws://a.test", "unencrypted"],
    ["ws://10.0.0.1", "unencrypted"],
    ["ws://localhost.a.test", "unencrypted"],
    ["wss://10.0.0.1", "an IP address, not a host name"],
    ["wss://169.254.169.254", "an IP address, not a host name"],
    ["wss://0xa9fea9fe", "an IP address, not a host name"],
    ["wss://2852039166", "an IP address, not a host name"],
    ["wss://0251.0376.0251.0376", "an IP address, not a host name"],
    ["wss://[fd00::1]", "an IP address, not a host name"],
    ["wss://[::ffff:127.0.0.1]", "an IP address, not a host name"],
    ["wss://0.0.0.0", "an IP address, not a host name"],
  ])("%s: %s", (text, problem) => {
    expect(parse(text)).toEqual({ problem });
  });

  test("credentials are not repeated", () => {
    expect(relayUrl.showHeld("wss://u:p@a.test")).toBe('"wss://***@a.test"');
  });
});

test("the bundled relay has one key, whatever its port", () => {
  expect(hostKey(null)).toBe("sample");
});
