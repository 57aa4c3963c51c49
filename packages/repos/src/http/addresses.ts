/**
 * Decides which IP addresses are public. A DID document that we do not control may name any host, and a name may point to any address, so
 * we connect to public addresses only. An address that cannot be parsed is not public.
 */
import { BlockList, isIP } from "node:net";

/** From IANA's special-purpose registries: ranges that are not globally reachable, multicast, and reserved ranges. */
const REFUSED_V4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const;

/** Of IPv6, only 2000::/3 is public, except these ranges. */
const REFUSED_V6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
] as const;

const refused = new BlockList();
for (const [net, bits] of REFUSED_V4) refused.addSubnet(net, bits, "ipv4");
for (const [net, bits] of REFUSED_V6) refused.addSubnet(net, bits, "ipv6");
const globalV6 = new BlockList();
globalV6.addSubnet("2000::", 3, "ipv6");
const sixToFour = new BlockList();
sixToFour.addSubnet("2002::", 16, "ipv6");
const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Takes an address as the system writes it; a zone (`fe80::1%eth0`) makes it local. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, "ipv4");
  if (family !== 6 || address.includes("%")) return false;
  // IPv4-mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96) are outside 2000::/3; 6to4 carries an IPv4 address inside it.
  if (!globalV6.check(address, "ipv6") || sixToFour.check(address, "ipv6")) return false;
  return !refused.check(address, "ipv6");
}

/** Whether the address is loopback; IPv4-mapped loopback counts. */
export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return loopback.check(address, "ipv4");
  // BlockList matches IPv4-mapped addresses against IPv4 rules.
  return family === 6 && !address.includes("%") && loopback.check(address, "ipv6");
}
