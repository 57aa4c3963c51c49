/**
 * What all four functions have in common: the runtime, a separate role and log group, no asynchronous retry. SST's
 * defaults that are overridden, and why:
 *
 * - x86_64: arm64 costs a fifth less, and the work does not depend on the speed of a single core;
 * - two asynchronous retries: the schedule calls again a minute later, and a person should see the first error at once;
 * - roles that the whole account may assume, even outside `sst dev`: only Lambda may;
 * - AWSLambdaBasicExecutionRole: the function's own log group, and nothing else.
 */
import { BUNDLING } from "./bundling.ts";
import { MAX_EVENT_AGE_SECONDS } from "./limits.ts";
import { functionName, logGroupName, type FunctionRole } from "./names.ts";
import type { Network } from "./network.ts";
import { logPermissions, networkPermissions, tracingPermissions, type Statement } from "./permissions.ts";
import type { DeploySettings } from "./settings.ts";

/** The rest of a function's memory is for Node itself, code, and buffers outside of V8's heap. */
const HEAP_SHARE = 0.8;

/**
 * V8 uses up to 100 MB for young objects, however little is alive: a reader of 256 MB would be near its limit without holding
 * anything. From the limit of old objects it computes how much garbage it lets lie, buffers included: without one, a reader of repositories
 * takes 154 MB instead of 122. Lambda sets a function's command line; this variable is the only way to pass flags.
 */
function nodeOptions(memoryMb: number): string {
  return `--max-semi-space-size=4 --max-old-space-size=${Math.floor(memoryMb * HEAP_SHARE)}`;
}

export interface BackfillFunction {
  /** The logical name, shown by `sst shell` and in the state. */
  readonly name: string;
  readonly role: FunctionRole;
  readonly description: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly settings: DeploySettings;
  /** Added to the settings that all functions get. */
  readonly environment: Readonly<Record<string, $util.Input<string>>>;
  readonly permissions: Statement[];
  /** Default: none is reserved. */
  readonly reservedConcurrency?: number | undefined;
  readonly link?: sst.Secret[];
  readonly url?: sst.aws.FunctionArgs["url"];
  /** null or left out: in no VPC. */
  readonly network?: Network | null;
}

export function createFunction(options: BackfillFunction): sst.aws.Function {
  const { role, settings } = options;
  const logGroup = new aws.cloudwatch.LogGroup(`${options.name}Logs`, {
    name: logGroupName(role),
    retentionInDays: settings.logRetentionDays,
  });
  const permissions = [logPermissions(logGroup.arn), ...options.permissions];
  const network = options.network ?? null;
  if (network !== null) permissions.push(...networkPermissions(functionName(role)));
  if (settings.isTraced) permissions.push(tracingPermissions());

  return new sst.aws.Function(options.name, {
    name: functionName(role),
    description: options.description,
    handler: `functions/${role}.handler`,
    nodejs: BUNDLING,
    runtime: "nodejs24.x",
    architecture: "arm64",
    memory: `${options.memoryMb} MB`,
    timeout: `${options.timeoutSeconds} seconds`,
    retries: 0,
    environment: { NODE_OPTIONS: nodeOptions(options.memoryMb), ...settings.environment, ...options.environment },
    copyFiles: settings.bundledFiles.map(({ from, to }) => ({ from, to })),
    permissions,
    link: options.link ?? [],
    logging: { logGroup: logGroup.name, format: "json" },
    ...(options.reservedConcurrency === undefined ? {} : { concurrency: { reserved: options.reservedConcurrency } }),
    ...(network === null ? {} : { vpc: network }),
    ...(options.url === undefined ? {} : { url: options.url }),
    transform: {
      role: (args) => {
        // In `sst dev`, the program on your machine uses this role, too.
        if ($dev) return undefined;
        args.assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" });
        args.managedPolicyArns = [];
        return undefined;
      },
      eventInvokeConfig: { maximumEventAgeInSeconds: MAX_EVENT_AGE_SECONDS },
      function: (args) => {
        if (settings.isTraced) args.tracingConfig = { mode: "Active" };
        // Otherwise Lambda writes three lines of its own for each invocation that went well, more than the consumer writes itself.
        args.loggingConfig = $output(args.loggingConfig).apply((logging) => ({
          ...logging,
          logFormat: "JSON",
          systemLogLevel: "WARN",
        }));
        return undefined;
      },
    },
  });
}
