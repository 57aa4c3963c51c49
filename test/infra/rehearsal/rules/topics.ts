/** SNS and EventBridge Schemas: names and addresses that the models take as any text. */
import { callsOf, fieldsOf, parsed, textOf } from "../call.ts";
import { rule, unless, type Rule } from "./rule.ts";

/** What an address looks like, by the way that a message takes. */
const ENDPOINTS: Readonly<Record<string, RegExp>> = {
  email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  "email-json": /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  http: /^http:\/\/\S+$/,
  https: /^https:\/\/\S+$/,
  sms: /^\+\d{5,15}$/,
  sqs: /^arn:aws[^:]*:sqs:/,
  lambda: /^arn:aws[^:]*:lambda:/,
  firehose: /^arn:aws[^:]*:firehose:/,
  application: /^arn:aws[^:]*:sns:/,
};

export const TOPIC_RULES: readonly Rule[] = [
  rule("a topic's name has 256 letters, digits, - and _ at most", "sns.CreateTopic", (input) => {
    const isFifo = fieldsOf(input["Attributes"])["FifoTopic"] === "true";
    const name = textOf(input["Name"]);
    return unless((isFifo ? /^[\w-]{1,251}\.fifo$/ : /^[\w-]{1,256}$/).test(name), `"${name}"`);
  }),
  rule("a subscriber's address fits the way there", "sns.Subscribe", ({ Protocol: protocol, Endpoint: endpoint }) =>
    unless(
      ENDPOINTS[textOf(protocol)]?.test(textOf(endpoint)) ?? false,
      `${textOf(protocol)} to "${textOf(endpoint)}"`,
    ),
  ),
  rule("a subscription is to a topic that is created", "sns.Subscribe", ({ TopicArn: arn }, calls) =>
    unless(
      callsOf(calls, "sns.CreateTopic").some(({ input }) => textOf(arn).endsWith(`:${textOf(input["Name"])}`)),
      `${textOf(arn)} is not created`,
    ),
  ),
  rule("a registry's name has 64 letters, digits, ., -, _ and @ at most", "schemas.CreateRegistry", (input) =>
    unless(/^(?!aws\.)[\w.@-]{1,64}$/.test(textOf(input["RegistryName"])), `"${textOf(input["RegistryName"])}"`),
  ),
  rule("a schema's name has 385 letters, digits, ., -, _ and @ at most", "schemas.CreateSchema", (input) =>
    unless(/^[\w.@-]{1,385}$/.test(textOf(input["SchemaName"])), `"${textOf(input["SchemaName"])}"`),
  ),
  rule("a schema's content is OpenAPI 3 in JSON", "schemas.CreateSchema", ({ Content: content }) => {
    const { openapi, info, paths } = fieldsOf(parsed(content));
    const { title, version } = fieldsOf(info);
    const isOpenApi = /^3\.0\.\d$/.test(textOf(openapi)) && Boolean(title) && Boolean(version) && paths !== undefined;
    return unless(isOpenApi, textOf(content).slice(0, 80));
  }),
];
