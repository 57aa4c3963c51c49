/**
 * Makes the token that RDS and Aurora accept instead of a password: a request that is signed with IAM credentials and valid for
 * 15 minutes. It is made locally, without a call. AWS's own package includes every way to find credentials. A function has them
 * in its environment, so the signature (Signature Version 4, in the query) is made here.
 */
import { createHash, createHmac } from "node:crypto";

export interface IamCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface RdsTokenOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
  readonly credentials: IamCredentials;
  readonly nowMs: number;
}

const VALID_SECONDS = 900;
const ALGORITHM = "AWS4-HMAC-SHA256";

export function rdsToken({ host, port, user, region, credentials, nowMs }: RdsTokenOptions): string {
  const at = new Date(nowMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  const day = at.slice(0, 8);
  const scope = `${day}/${region}/rds-db/aws4_request`;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const parameters = {
    Action: "connect",
    DBUser: user,
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${accessKeyId}/${scope}`,
    "X-Amz-Date": at,
    "X-Amz-Expires": String(VALID_SECONDS),
    ...(sessionToken === null ? {} : { "X-Amz-Security-Token": sessionToken }),
    "X-Amz-SignedHeaders": "host",
  };
  const query = Object.entries(parameters)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join("&");
  const request = ["GET", "/", query, `host:${host}:${port}`, "", "host", sha256("")].join("\n");
  const key = [region, "rds-db", "aws4_request"].reduce(hmac, hmac(`AWS4${secretAccessKey}`, day));
  const signature = hmac(key, [ALGORITHM, at, scope, sha256(request)].join("\n")).toString("hex");
  return `${host}:${port}/?${query}&X-Amz-Signature=${signature}`;
}

/** Encodes as AWS requires: everything except letters, digits and `-_.~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
