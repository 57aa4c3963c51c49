/**
 * SST's CLI gives every resource two tags, and a resource may have some of its own. Some services take tags as a map and
 * others as a list; their models say which.
 */
import { fieldsOf, type Call } from "./call.ts";
import { modelOf } from "./models.ts";

export interface StageName {
  readonly app: string;
  readonly stage: string;
}

/** The call with the tags of its stage and its resource, where its operation takes any. */
export function tagged(call: Call, { app, stage }: StageName, own: unknown): Call {
  const { operations, shapes } = modelOf(call.service);
  const members = shapes[operations[call.operation]?.input?.shape ?? ""]?.members ?? {};
  const member = ["Tags", "tags"].find((name) => members[name] !== undefined);
  if (member === undefined) return call;
  const tags = { "sst:app": app, "sst:stage": stage, ...fieldsOf(own) };
  const isMap = shapes[members[member]?.shape ?? ""]?.type === "map";
  const value = isMap ? tags : Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return { ...call, input: { ...call.input, [member]: value } };
}
