/** Login to RDS or Aurora with IAM: each new connection uses a token instead of a password, over TLS only. */
import { DatabaseUrlError, type DatabaseTarget } from "./database-url.ts";
import { type IamCredentials, rdsToken } from "./rds-token.ts";

export interface IamLogin {
  /** `arn:aws:rds-db:REGION:ACCOUNT:dbuser:DATABASE/USER` */
  readonly userArn: string;
  readonly credentials: () => IamCredentials;
  readonly now: () => number;
}

/** Each call makes a token. @throws DatabaseUrlError if the address does not match */
export function iamPassword(target: DatabaseTarget, { userArn, credentials, now }: IamLogin): () => string {
  const { host, port, user, sslMode } = target;
  const [, , , region = ""] = userArn.split(":");
  const allowed = userArn.slice(userArn.indexOf("/") + 1);
  if (user !== allowed)
    throw new DatabaseUrlError(
      `DATABASE_URL has the user ${user}, but IAM allows to log in as ${allowed}: name the same user in BACKFILL_DATABASE_USER_ARN`,
    );
  if (sslMode === "disable" || sslMode === "prefer")
    throw new DatabaseUrlError("DATABASE_URL: a token of IAM needs TLS: add sslmode=verify-full, or at least require");
  return () => rdsToken({ host, port, user, region, credentials: credentials(), nowMs: now() });
}
