import { describe, expect, it } from "vitest";
import {
  createDidResolver,
  DidHostError,
  type DidResolverOptions,
  type DocumentAnswer,
  type FetchDocument,
  keysOf,
  KeyServiceError,
} from "./did-resolver.ts";
import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";

const PLC = "did:plc:44ybard66vv44zksje25o7dz";
const KEY = "zQ3shULQPBZrbHpyf48oS68ZudUDQNdtWrhV8dafhaTFFUeGP";
const OTHER_KEY = "zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo";

const document = (did: string, multibase = KEY, id = `${did}#atproto`) => ({
  id: did,
  verificationMethod: [
    { id: `${did}#other`, type: "Multikey", controller: did, publicKeyMultibase: OTHER_KEY },
    { id, type: "Multikey", controller: did, publicKeyMultibase: multibase },
  ],
});
const json = (body: unknown) => (): DocumentAnswer => ({ kind: "document", body: JSON.stringify(body) });
const absent = (): DocumentAnswer => ({ kind: "absent" });
const trouble = (error: string) => (): DocumentAnswer => ({ kind: "trouble", error });
type Answer = () => DocumentAnswer | Promise<DocumentAnswer>;

function scene(answers: readonly Answer[], options: Partial<DidResolverOptions> = {}) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const fetchDocument: FetchDocument = async (url) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? absent;
    asked.push(url);
    return await answer();
  };
  const resolveDid = createDidResolver({ clock, fetchDocument, ...options });
  return { clock, asked, resolveDid, resolveKey: keysOf(resolveDid) };
}

describe("where keys come from", () => {
  it("did:plc from the directory", async () => {
    const { resolveKey, asked } = scene([json(document(PLC))]);
    expect(await resolveKey(PLC)).toMatchObject({ kind: "k256", bytes: { length: 33 } });
    expect(asked).toEqual([`https://plc.directory/${PLC}`]);
  });

  it("did:web from the host", async () => {
    const did = "did:web:pds.example.com";
    const { resolveKey, asked } = scene([json(document(did, OTHER_KEY, "#atproto"))]);
    expect(await resolveKey(did)).toMatchObject({ kind: "p256" });
    expect(asked[0]).toBe("https://pds.example.com/.well-known/did.json");
  });

  it.each([
    "did:web:localhost",
    "did:web:127.0.0.1",
    "did:web:169.254.169.254",
    "did:web:router.local",
    "did:web:db.internal",
    "did:web:example.com%3A8080",
    "did:web:example.com:user",
    "did:web:user@example.com",
    "did:web:[::1]",
    "did:plc:short",
    "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc",
    "",
  ])("nobody is asked about %s", async (did) => {
    const { resolveKey, asked } = scene([json(document(did))]);
    expect([await resolveKey(did), asked]).toEqual([null, []]);
  });

  it.each<[string, Answer]>([
    ["another DID's document", json(document("did:plc:another"))],
    ["no method of that name", json(document(PLC, KEY, `${PLC}#label`))],
    ["a key that is none", json(document(PLC, "zzz"))],
    ["no methods", json({ id: PLC })],
    ["not an object", json([1])],
    ["no JSON", (): DocumentAnswer => ({ kind: "document", body: "<html>" })],
    ["none", absent],
  ])("no key: %s", async (_, answer) => {
    expect(await scene([answer]).resolveKey(PLC)).toBeNull();
  });

  it("trouble of the directory is an error that waiting may heal; of one host it is that host's affair", async () => {
    const error = await scene([trouble("HTTP 500")])
      .resolveKey(PLC)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KeyServiceError);
    expect(error instanceof KeyServiceError && error.isRetryable()).toBe(true);
    const own = scene([trouble("HTTP 500")]);
    expect(await own.resolveKey("did:web:pds.example.com")).toBeNull();
    await expect(own.resolveDid("did:web:pds.example.com")).rejects.toBeInstanceOf(DidHostError);
    // Both calls made one request: a failed host is not asked again immediately.
    expect(own.asked).toHaveLength(1);
    await own.clock.advance(60_000);
    await own.resolveKey("did:web:pds.example.com");
    expect(own.asked).toHaveLength(2);
  });

  it("another directory", async () => {
    const { resolveKey, asked } = scene([json(document(PLC))], { plcUrl: "http://localhost:2582" });
    await resolveKey(PLC);
    expect(asked).toEqual([`http://localhost:2582/${PLC}`]);
  });
});

describe("where a repository is", () => {
  const pds = (fields: object) => ({ ...document(PLC), ...fields });
  const service = { id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: "https://pds.example.com" };

  it("is said by the document, with the handle that it claims", async () => {
    const fields = {
      service: [{ ...service, id: "#other" }, service],
      alsoKnownAs: ["https://x", "at://Alice.example.com"],
    };
    const { resolveDid } = scene([json(pds(fields))]);
    expect(await resolveDid(PLC)).toMatchObject({
      pds: "https://pds.example.com",
      handle: "alice.example.com",
      key: { kind: "k256" },
    });
  });

  it.each<[string, object, object]>([
    ["no service", {}, { pds: null }],
    ["a service of another type", { service: [{ ...service, type: "AtprotoLabeler" }] }, { pds: null }],
    [
      "an endpoint that is no text",
      { service: [{ ...service, serviceEndpoint: { uri: "https://x" } }] },
      { pds: null },
    ],
    [
      "an endpoint that is too long",
      { service: [{ ...service, serviceEndpoint: `https://${"a".repeat(3_000)}` }] },
      { pds: null },
    ],
    ["a full id", { service: [{ ...service, id: `${PLC}#atproto_pds` }] }, { pds: "https://pds.example.com" }],
    ["a handle that is none", { alsoKnownAs: ["at://no handle"] }, { handle: null }],
    ["names that are no list", { alsoKnownAs: "at://alice.example.com" }, { handle: null }],
  ])("%s", async (_, fields, expected) => {
    expect(await scene([json(pds(fields))]).resolveDid(PLC)).toMatchObject(expected);
  });

  it("is known without a usable key, too", async () => {
    const { verificationMethod: _, ...rest } = pds({ service: [service] });
    expect(await scene([json(rest)]).resolveDid(PLC)).toMatchObject({ key: null, pds: "https://pds.example.com" });
  });
});

describe("what is remembered", () => {
  it("a key for an hour, its absence for a minute", async () => {
    const { resolveKey, clock, asked } = scene([absent, json(document(PLC))]);
    expect([await resolveKey(PLC), await resolveKey(PLC), asked.length]).toEqual([null, null, 1]);
    await clock.advance(60_000);
    expect([(await resolveKey(PLC))?.kind, asked.length]).toEqual(["k256", 2]);
    await clock.advance(3_599_000);
    expect([(await resolveKey(PLC))?.kind, asked.length]).toEqual(["k256", 2]);
    await clock.advance(1_000);
    expect([(await resolveKey(PLC))?.kind, asked.length]).toEqual(["k256", 3]);
  });

  it("a forced refresh sees a rotated key, but asks at most once a minute", async () => {
    const { resolveKey, clock, asked } = scene([json(document(PLC)), json(document(PLC, OTHER_KEY))]);
    await resolveKey(PLC);
    expect([(await resolveKey(PLC, { forceRefresh: true }))?.kind, asked.length]).toEqual(["k256", 1]);
    await clock.advance(60_000);
    expect([(await resolveKey(PLC, { forceRefresh: true }))?.kind, asked.length]).toEqual(["p256", 2]);
  });

  it("errors are not", async () => {
    const { resolveKey } = scene([trouble("HTTP 500"), json(document(PLC))]);
    await expect(resolveKey(PLC)).rejects.toThrow("HTTP 500");
    expect((await resolveKey(PLC))?.kind).toBe("k256");
  });

  it("the same DID asked for twice at once is looked up once", async () => {
    const { resolveKey, asked } = scene([json(document(PLC))]);
    const [left, right] = await Promise.all([resolveKey(PLC), resolveKey(PLC)]);
    expect([left === right, asked.length]).toEqual([true, 1]);
  });

  it("no more than fits: the least recently used goes", async () => {
    const dids = ["a", "b", "c"].map((host) => `did:web:${host}.example.com`);
    const { resolveKey, asked } = scene([json({})], { maxEntries: 2 });
    const [a = "", b = "", c = ""] = dids;
    for (const did of [a, b, a, c, a, b]) await resolveKey(did);
    expect(asked.map((url) => url.charAt(8))).toEqual(["a", "b", "c", "b"]);
  });
});
