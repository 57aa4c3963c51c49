import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { answerScram } from "./scram.ts";

const SALT = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");

/** The server's side of RFC 5802: it stores two keys and recovers the client's from the proof. */
function verify(password: string, clientNonce: string, serverFirst: string, response: string) {
  const salted = pbkdf2Sync(password, SALT, 4096, 32, "sha256");
  const storedKey = createHash("sha256").update(createHmac("sha256", salted).update("Client Key").digest()).digest();
  const [withoutProof = "", proof = ""] = response.split(",p=");
  const authMessage = `n=*,r=${clientNonce},${serverFirst},${withoutProof}`;
  const signature = createHmac("sha256", storedKey).update(authMessage).digest();
  const clientKey = Buffer.from(proof, "base64").map((byte, i) => byte ^ (signature[i] ?? 0));
  const serverKey = createHmac("sha256", salted).update("Server Key").digest();
  return {
    accepted: createHash("sha256").update(clientKey).digest().equals(storedKey),
    serverSignature: createHmac("sha256", serverKey).update(authMessage).digest("base64"),
  };
}

describe("SCRAM-SHA-256", () => {
  const serverFirst = `r=abcdef,s=${SALT.toString("base64")},i=4096`;

  test("the server accepts the proof, and its signature is the expected one", async () => {
    const answer = await answerScram("abc", "pencil", serverFirst);
    const server = verify("pencil", "abc", serverFirst, answer.response);
    expect(server).toEqual({ accepted: true, serverSignature: answer.serverSignature });
    expect(verify("pen", "abc", serverFirst, answer.response).accepted).toBe(false);
  });

  test.each([
    ["a nonce that is not ours", "r=xyz,s=AAAA,i=4096"],
    ["a nonce that adds nothing", "r=abc,s=AAAA,i=4096"],
    ["no salt", "r=abcdef,i=4096"],
    ["no rounds", "r=abcdef,s=AAAA"],
    ["rounds without end", "r=abcdef,s=AAAA,i=99999999999"],
  ])("%s is refused", async (_name, message) => {
    await expect(answerScram("abc", "pencil", message)).rejects.toThrow(/^SCRAM/);
  });
});
