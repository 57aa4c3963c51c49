/** DynamoDB. The model takes an ARN where the API takes a table's name, so that it says nothing of the name. */
import { callsOf, fieldsOf, listOf, type Fields, textOf } from "../call.ts";
import { rule, unless, type Rule } from "./rule.ts";

export const TABLE_RULES: readonly Rule[] = [
  rule("a table's name has 3 to 255 letters, digits, _, - and .", "dynamodb.CreateTable", ({ TableName: name }) =>
    unless(/^[\w.-]{3,255}$/.test(textOf(name)), `"${textOf(name)}"`),
  ),
  rule("a table's key is a partition key and at most one sort key", "dynamodb.CreateTable", (input) => {
    const types = keysOf(input).map(({ KeyType: type }) => type);
    return unless(types.join() === "HASH" || types.join() === "HASH,RANGE", `its key is ${types.join() || "empty"}`);
  }),
  rule("the attributes of a table are those of its keys", "dynamodb.CreateTable", (input) => {
    const defined = listOf(input["AttributeDefinitions"]).map((it) => textOf(fieldsOf(it)["AttributeName"]));
    const used = new Set(keysOf(input).map(({ AttributeName: name }) => textOf(name)));
    return [
      ...[...used].filter((name) => !defined.includes(name)).map((name) => `${name} is not defined`),
      ...defined.filter((name) => !used.has(name)).map((name) => `${name} is in no key`),
    ];
  }),
  rule("a table that is paid by request has no capacity of its own", "dynamodb.CreateTable", (input) => {
    const isProvisioned = input["BillingMode"] === "PROVISIONED";
    return unless(
      isProvisioned === (input["ProvisionedThroughput"] !== undefined),
      `${textOf(input["BillingMode"])}, its capacity is ${JSON.stringify(input["ProvisionedThroughput"])}`,
    );
  }),
  rule("a table's stream says what it shows", "dynamodb.CreateTable", ({ StreamSpecification: stream }) => {
    const { StreamEnabled: isOn, StreamViewType: shows } = fieldsOf(stream);
    return unless(isOn !== true || shows !== undefined, "no view type");
  }),
  rule("what expires is not a key", "dynamodb.UpdateTimeToLive", (input, calls) => {
    const table = callsOf(calls, "dynamodb.CreateTable").find((it) => it.input["TableName"] === input["TableName"]);
    const name = fieldsOf(input["TimeToLiveSpecification"])["AttributeName"];
    if (table === undefined) return [`${textOf(input["TableName"])} is not created`];
    return unless(!keysOf(table.input).some((key) => key["AttributeName"] === name), `${textOf(name)} is a key`);
  }),
];

function keysOf(input: Fields): Fields[] {
  return listOf(input["KeySchema"]).map(fieldsOf);
}
