import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLoopbackAddress, isPublicAddress } from "./addresses.ts";
import { parseEndpoint } from "./endpoint.ts";

describe("public addresses", () => {
  it.each([
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "172.32.0.1",
    "192.167.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
  ])("%s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
  it.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2606:4700::1111%eth0",
    "",
    "localhost",
    "1.2.3",
    "0x7f.0.0.1",
  ])("issue 15.5: not %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
  it("no IPv4 address hides in an IPv6 form", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
        expect(isPublicAddress(`::${address}`)).toBe(false);
      }),
      { seed: 5 },
    );
  });
  it("loopback in all its forms", () => {
    for (const one of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"])
      expect(isLoopbackAddress(one)).toBe(true);
    for (const one of ["128.0.0.1", "10.0.0.1", "::2", "::ffff:10.0.0.1", "", "localhost"])
      expect(isLoopbackAddress(one)).toBe(false);
  });
});

describe("a host's address", () => {
  const strict = { allowLoopback: false };
  it.each([
    ["https://pds.example.com", "pds.example.com:443"],
    ["https://PDS.Example.com:8443/", "pds.example.com:8443"],
    ["https://xn--bcher-kva.ch", "xn--bcher-kva.ch:443"],
    ["https://a.b.c.d.host.bsky.network", "a.b.c.d.host.bsky.network:443"],
    ["https://pds.example.com.", "pds.example.com:443"],
  ])("%s", (text, host) => {
    expect(parseEndpoint(text, strict)).toMatchObject({ host, isSecure: true, isLoopback: false });
  });
  it.each([
    ["http://pds.example.com", "only https"],
    ["ftp://pds.example.com", "neither https nor http"],
    ["file:///etc/passwd", "neither https nor http"],
    ["https://1.1.1.1", "IP address"],
    ["https://127.0.0.1", "IP address"],
    ["https://2130706433", "IP address"],
    ["https://0x7f.1", "IP address"],
    ["https://0177.0.0.1", "IP address"],
    ["https://[::1]", "IP address"],
    ["https://[::ffff:127.0.0.1]", "IP address"],
    ["https://[2606:4700::1111]", "IP address"],
    ["https://localhost", "local network"],
    ["https://LOCALHOST.", "local network"],
    ["https://pds.localhost", "local network"],
    ["https://router.local", "local network"],
    ["https://db.internal", "local network"],
    ["https://printer.home.arpa", "local network"],
    ["https://pds", "not a public host name"],
    ["https://user:secret@pds.example.com", "user name"],
    ["https://pds.example.com/path", "more than a host"],
    ["https://pds.example.com?x=1", "more than a host"],
    ["https://pds.example.com#x", "more than a host"],
    ["pds.example.com", "not a URL"],
    ["", "not a URL"],
    [`https://${"a".repeat(3_000)}.com`, "not a URL"],
  ])("issue 15.5: not %s", (text, message) => {
    expect(parseEndpoint(text, strict)).toContain(message);
  });
  it("http and this machine only where that is allowed, and there nothing else more", () => {
    const open = { allowLoopback: true };
    expect(parseEndpoint("http://localhost:2583", open)).toMatchObject({ isLoopback: true, port: 2583 });
    expect(parseEndpoint("http://127.0.0.1:2583", open)).toMatchObject({ isLoopback: true });
    expect(parseEndpoint("http://[::1]:2583", open)).toMatchObject({ isLoopback: true, hostname: "::1" });
    expect(parseEndpoint("http://pds.example.com", open)).toContain("only https");
    expect(parseEndpoint("https://10.0.0.1", open)).toContain("IP address");
    expect(parseEndpoint("https://db.internal", open)).toContain("local network");
  });
});
