/**
 * The network that consumer and control are in, where the database is reached only from inside a VPC. Reader and status
 * stay outside: the reader needs the internet for the relay, and inside it would need a NAT. What is inside reaches
 * DynamoDB and SQS through endpoints of the VPC, which belong to the network and not to a stage: docs/how-to.md.
 */
import type { Settings } from "../packages/core/src/config/settings.ts";

export interface Network {
  readonly privateSubnets: string[];
  readonly securityGroups: string[];
}

/** null: the functions are in no VPC. In `sst dev` they run on your machine, and SST's bridge needs the internet. */
export function networkOf(settings: Pick<Settings, "vpcSubnets" | "vpcSecurityGroups">): Network | null {
  if ($dev || settings.vpcSubnets.length === 0) return null;
  return { privateSubnets: [...settings.vpcSubnets], securityGroups: [...settings.vpcSecurityGroups] };
}
