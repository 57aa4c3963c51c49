import { describe, expect, it } from "vitest";
import { createKeyResolver, KeyServiceError, type KeyResolverOptions } from "./did-resolver.ts";
import { handClock } from "@firehose-backfill/testing/firehose/hand-clock";

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
const json = (body: unknown, init?: ResponseInit) => () => new Response(JSON.stringify(body), init);
type Answer = () => Response | Promise<Response>;

function scene(answers: readonly Answer[], options: Partial<KeyResolverOptions> = {}) {
  const clock = handClock();
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push({ url, init });
    if (answer === undefined) throw new TypeError("fetch failed");
    return await answer();
  };
  return { clock, asked, resolveKey: createKeyResolver({ clock, userAgent: "test/1", fetch, ...options }) };
}

describe("where keys come from", () => {
  it("did:plc from the directory", async () => {
    const { resolveKey, asked } = scene([json(document(PLC))]);
    expect(await resolveKey(PLC)).toMatchObject({ kind: "k256", bytes: { length: 33 } });
    expect(asked).toEqual([
      { url: `https://plc.directory/${PLC}`, init: expect.objectContaining({ redirect: "error" }) },
    ]);
    expect(new Headers(asked[0]?.init?.headers).get("user-agent")).toBe("test/1");
  });

  it("did:web from the host", async () => {
    const did = "did:web:pds.example.com";
    const { resolveKey, asked } = scene([json(document(did, OTHER_KEY, "#atproto"))]);
    expect(await resolveKey(did)).toMatchObject({ kind: "p256" });
    expect(asked[0]?.url).toBe("https://pds.example.com/.well-known/did.json");
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
    ["no JSON", () => new Response("<html>")],
    ["404", json({}, { status: 404 })],
    ["410", json({}, { status: 410 })],
    ["a body above the limit", () => new Response("x".repeat(100_000))],
  ])("no key: %s", async (_, answer) => {
    expect(await scene([answer]).resolveKey(PLC)).toBeNull();
  });

  it.each<[string, Answer]>([
    ["500", json({}, { status: 500 })],
    ["429", json({}, { status: 429 })],
    ["no connection", () => Promise.reject(new TypeError("fetch failed"))],
  ])(
    "%s of the directory is an error that waiting may heal; of one host it is that host's affair",
    async (_, answer) => {
      const error = await scene([answer])
        .resolveKey(PLC)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(KeyServiceError);
      expect(error instanceof KeyServiceError && error.isRetryable()).toBe(true);
      expect(await scene([answer]).resolveKey("did:web:pds.example.com")).toBeNull();
    },
  );

  it("a host that does not answer in time", async () => {
    const { resolveKey, clock, asked } = scene([
      () =>
        new Promise((_, reject) =>
          asked[0]?.init?.signal?.addEventListener("abort", () => reject(new Error("aborted"))),
        ),
    ]);
    const key = resolveKey("did:web:pds.example.com");
    await clock.advance(5_000);
    expect(await key).toBeNull();
  });
});

describe("what is remembered", () => {
  it("a key for an hour, its absence for a minute", async () => {
    const { resolveKey, clock, asked } = scene([json({}, { status: 404 }), json(document(PLC))]);
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
    const { resolveKey } = scene([json({}, { status: 500 }), json(document(PLC))]);
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
    expect(asked.map(({ url }) => url.charAt(8))).toEqual(["a", "b", "c", "b"]);
  });
});
