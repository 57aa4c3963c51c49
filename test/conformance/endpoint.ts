/**
 * A server that speaks SQS or DynamoDB: AWS itself, for which the SDK finds credentials and region, or any other, which gets
 * made-up ones. `npm run test:conformance` gives the addresses.
 */
export interface Endpoint {
  readonly url: string;
  readonly isAws: boolean;
}

/** null: this service is not tested. */
export function endpointOf(variable: string): Endpoint | null {
  const url = process.env[variable] ?? "";
  if (url === "") return null;
  return { url, isAws: /\.(amazonaws\.com(\.cn)?|api\.aws)$/.test(new URL(url).hostname) };
}

/** What makes and removes things on AWS has to be told apart from everything else in the account. */
export function newName(): string {
  return `firehose-backfill-conformance-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
}
