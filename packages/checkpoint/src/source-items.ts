/**
 * What sources keep beside their state, in the table: `notes#GROUP`, `source#NAME`. The partition of notes is one that the reader may write and
 * the status page may read, so that no role needs another permission.
 */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { MAX_ITEM_TEXT_BYTES, type SourceItems } from "@firehose-backfill/source/items";
import { BrokenStateError } from "./errors.ts";
import { assertId } from "./run-values.ts";
import { readNumberOrNull, readText } from "./store/attributes.ts";
import { createDynamoTable } from "./table/dynamo-table.ts";
import type { Item, Key, Table } from "./table/table.ts";
import { versioned } from "./table/versioned-table.ts";

const PREFIX = "source#";
const NAME = /^[\x21-\x7e]{1,600}$/;

export function createDynamoItems({ client, table }: { readonly client: DynamoDBClient; readonly table: string }) {
  return createItems(createDynamoTable(client, table));
}

export function createItems(table: Table, { now = Date.now }: { readonly now?: () => number } = {}): SourceItems {
  const items = versioned(table);
  const keyOf = (group: string, name: string): Key => {
    assertId("group", group);
    if (!NAME.test(name)) throw new BrokenStateError(`${JSON.stringify(name)} is no name of a source's item`);
    return { pk: `notes#${group}`, sk: `${PREFIX}${name}` };
  };
  // The table's own expiry comes up to days late, and a stand-in has none.
  const isThere = (item: Item): boolean => (readNumberOrNull(item, "expiresAt") ?? Infinity) * 1_000 > now();
  return {
    async get({ group, name }) {
      const { pk, sk } = keyOf(group, name);
      const [item] = await items.query({ pk, from: sk, to: sk, limit: 1 });
      return item === undefined || !isThere(item) ? null : readText(item, "text");
    },

    async put({ group, name }, text, keptMs) {
      const bytes = Buffer.byteLength(text);
      if (bytes > MAX_ITEM_TEXT_BYTES)
        throw new BrokenStateError(`a source wants to keep ${bytes} bytes; at most ${MAX_ITEM_TEXT_BYTES}`);
      await items.put(keyOf(group, name), { text, expiresAt: Math.ceil((now() + keptMs) / 1_000) });
    },

    async remove({ group, name }) {
      await items.delete(keyOf(group, name));
    },

    async list(group, { from, to, limit }) {
      const { pk, sk } = keyOf(group, from);
      const found = await items.query({ pk, from: sk, to: keyOf(group, to).sk, limit });
      return found
        .filter(isThere)
        .map((item) => ({ name: readText(item, "sk").slice(PREFIX.length), text: readText(item, "text") }));
    },
  };
}
