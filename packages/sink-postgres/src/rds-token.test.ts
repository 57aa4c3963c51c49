import { describe, expect, test } from "vitest";
import { rdsToken } from "./rds-token.ts";

const OPTIONS = {
  host: "mydb.abc.eu-central-1.rds.amazonaws.com",
  port: 5432,
  user: "back.fill@x",
  region: "eu-central-1",
  credentials: {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    sessionToken: "token/with+signs==",
  },
  nowMs: Date.parse("2026-11-28T10:00:00Z"),
};

describe("the token that RDS takes as a password", () => {
  test("issue 18.4: has the signature that AWS's own signer (@smithy/signature-v4, presign) makes", () => {
    const token = rdsToken(OPTIONS);
    expect(token.startsWith("mydb.abc.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=back.fill%40x&")).toBe(
      true,
    );
    expect(Object.fromEntries(new URL(`https://${token}`).searchParams)).toEqual({
      Action: "connect",
      DBUser: "back.fill@x",
      "X-Amz-Security-Token": "token/with+signs==",
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": "AKIDEXAMPLE/20261128/eu-central-1/rds-db/aws4_request",
      "X-Amz-Date": "20261128T100000Z",
      "X-Amz-Expires": "900",
      "X-Amz-SignedHeaders": "host",
      "X-Amz-Signature": "d1e459c47d022c93dcb486201632c9665894d0be61ebd4a6994ab0f1f6b640a1",
    });
  });

  test("leaves the session token out where there is none", () => {
    const token = rdsToken({ ...OPTIONS, credentials: { ...OPTIONS.credentials, sessionToken: null } });
    expect(token).not.toContain("Security-Token");
  });
});
