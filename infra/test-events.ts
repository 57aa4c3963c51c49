/**
 * Events for the control function in the console's Test menu. Lambda stores shareable test events as examples
 * of an OpenAPI schema, `_FUNCTION-schema`, in the EventBridge schema registry `lambda-testevent-schemas`; the console
 * and `sam remote test-event` both read it.
 *
 * The registry belongs to the account and the region, not to a stage. So it is used if it exists, created if
 * not, and never removed.
 */
const REGISTRY = "lambda-testevent-schemas";

/** Regions without EventBridge Schemas in November 2026. The events are a convenience: a deploy there goes without. */
const WITHOUT_SCHEMAS: ReadonlySet<string> = new Set([
  "ap-east-2",
  "ap-south-2",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-6",
  "ap-southeast-7",
  "ca-west-1",
  "il-central-1",
  "mx-central-1",
]);

export function hasTestEvents(region: string): boolean {
  return !WITHOUT_SCHEMAS.has(region);
}

/** The events of the control function, by their names in the menu. A stage offers at most ten. */
export const TEST_EVENTS: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  "start-background": { action: "start", days: 1, profile: "background" },
  "start-moderate": { action: "start", days: 1, profile: "moderate" },
  "start-fast": { action: "start", days: 1, profile: "fast" },
  status: { action: "status" },
  pause: { action: "pause" },
  resume: { action: "resume" },
  cancel: { action: "cancel" },
  plan: { action: "plan" },
  redrive: { action: "redrive" },
};

export function createTestEvents(options: { control: sst.aws.Function }): aws.schemas.Schema {
  const region = aws.getRegionOutput({});
  const identity = aws.getCallerIdentityOutput({});
  const partition = aws.getPartitionOutput({});
  const registryArn = $interpolate`arn:${partition.partition}:schemas:${region.region}:${identity.accountId}:registry/${REGISTRY}`;

  const registryName = registryArn.apply(isThere).apply(
    (there) =>
      new aws.schemas.Registry(
        "TestEventRegistry",
        { name: REGISTRY },
        {
          retainOnDelete: true,
          ignoreChanges: ["description", "tags", "tagsAll"],
          ...(there ? { import: REGISTRY } : {}),
        },
      ).name,
  );

  return new aws.schemas.Schema("ControlTestEvents", {
    name: $interpolate`_${options.control.name}-schema`,
    registryName,
    type: "OpenApi3",
    description: "Events for the console's Test button.",
    content: JSON.stringify(schemaContent()),
  });
}

/** Cloud Control returns an error if there is none, or if the deployer may not read it; then it is created. */
async function isThere(registryArn: string): Promise<boolean> {
  try {
    await aws.cloudcontrol.getResource({ typeName: "AWS::EventSchemas::Registry", identifier: registryArn });
    return true;
  } catch {
    return false;
  }
}

function schemaContent(): object {
  return {
    openapi: "3.0.0",
    info: { version: "1.0.0", title: "Event" },
    paths: {},
    components: {
      schemas: {
        Event: { type: "object", required: ["action"], properties: { action: { type: "string" } } },
      },
      examples: Object.fromEntries(Object.entries(TEST_EVENTS).map(([name, value]) => [name, { value }])),
    },
  };
}
