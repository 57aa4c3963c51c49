/** The small items of a source, on a table in memory. */
import type { SourceItems } from "@firehose-backfill/source/items";
import { createItems } from "@firehose-backfill/checkpoint/source-items";
import { createMemoryTable } from "../checkpoint/memory-table.ts";

export function memoryItems(): SourceItems {
  return createItems(createMemoryTable());
}
