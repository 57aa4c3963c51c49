/**
 * Measures what a run requests from its services, from the calls themselves: SQS requests by kind, DynamoDB writes that change the
 * pace, and how long each delivered message was processed, which Lambda would bill.
 */
import type { Exchange } from "../test/support/aws-proxy.ts";

/** From a message's delivery until it is about to be deleted or is hidden. */
export interface Invocation {
  readonly fromMs: number;
  untilMs: number | null;
}

interface Call {
  readonly atMs: number;
  readonly kind: string;
}

export interface ServiceMeter {
  readonly onQueue: (exchange: Exchange) => void;
  readonly onTable: (exchange: Exchange) => void;
  /** Figures of the calls that began in this period. */
  figures(fromMs: number, untilMs: number): ServiceFigures;
}

export interface ServiceFigures {
  readonly billedMs: number;
  readonly invocations: number;
  readonly sqsRequests: Readonly<Record<string, number>>;
  /** Updates of `plannedDueMs` (by the reader; by late batches), also failed ones, which DynamoDB bills; and updates that note a new slot. */
  readonly pacingWrites: Readonly<Record<"reservations" | "newSlots" | "notedSlots", number>>;
  readonly tableWrites: number;
  /** The largest factor by which the run multiplied its delay. 1: it never backed off. */
  readonly mostBackOff: number;
}

export function createServiceMeter(queueName: string): ServiceMeter {
  const queueCalls: Call[] = [];
  const tableWrites: Call[] = [];
  const pacingWrites: Call[] = [];
  const backOffs: { readonly atMs: number; readonly factor: number }[] = [];
  const invocations = new Map<string, Invocation>();

  return {
    onQueue({ action, request, response, askedAtMs, atMs }) {
      const receipts = action === "ReceiveMessage" ? receiptsOf(response) : [];
      const isEmpty = action === "ReceiveMessage" && receipts.length === 0;
      queueCalls.push({ atMs, kind: isEmpty ? "ReceiveMessage, empty" : action });
      // The reader looks into the dead-letter queue; that is no invocation.
      if (!String(request["QueueUrl"]).endsWith(`/${queueName}`)) return;
      for (const receipt of receipts) invocations.set(receipt, { fromMs: atMs, untilMs: null });
      const inHand = invocations.get(String(request["ReceiptHandle"]));
      // On Lambda, the event source mapping deletes the message after the invocation has ended.
      if (inHand !== undefined) inHand.untilMs = action === "DeleteMessage" ? askedAtMs : atMs;
    },

    onTable({ action, request, response, atMs }) {
      if (action !== "PutItem" && action !== "UpdateItem" && action !== "DeleteItem") return;
      tableWrites.push({ atMs, kind: action });
      const kind = pacingKind(request);
      if (kind !== null) pacingWrites.push({ atMs, kind });
      const factor = backOffIn(response);
      if (factor !== null) backOffs.push({ atMs, factor });
    },

    figures(fromMs, untilMs) {
      const isIn = ({ atMs }: { readonly atMs: number }): boolean => atMs >= fromMs && atMs < untilMs;
      let billedMs = 0;
      let count = 0;
      for (const { fromMs: from, untilMs: until } of invocations.values()) {
        if (until === null || from < fromMs || from >= untilMs) continue;
        billedMs += until - from;
        count += 1;
      }
      return {
        billedMs,
        invocations: count,
        sqsRequests: countKinds(queueCalls.filter(isIn)),
        pacingWrites: { reservations: 0, newSlots: 0, notedSlots: 0, ...countKinds(pacingWrites.filter(isIn)) },
        tableWrites: tableWrites.filter(isIn).length,
        mostBackOff: Math.max(1, ...backOffs.filter(isIn).map(({ factor }) => factor)),
      };
    },
  };
}

function receiptsOf({ Messages: messages }: Exchange["response"]): readonly string[] {
  if (!Array.isArray(messages)) return [];
  return messages.map((message: { readonly ReceiptHandle: string }) => message.ReceiptHandle);
}

function pacingKind(request: Exchange["request"]): keyof ServiceFigures["pacingWrites"] | null {
  const changed = changedNames(request);
  // When a run begins, its pace moves from the run item to a pace item; this does not give away a slot.
  if (changed.includes("begunFor") || keyOf(request).startsWith("run#")) return null;
  if (changed.includes("plannedDueMs")) return changed.includes("reserveMark") ? "reservations" : "newSlots";
  return changed.includes("dueMs") ? "notedSlots" : null;
}

function keyOf({ Key: key }: Exchange["request"]): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key of an item of the table
  return (key as { readonly pk?: { readonly S?: string } } | undefined)?.pk?.S ?? "";
}

/** Every answer to an update of the pace item contains the whole item. */
function backOffIn({ Attributes: item }: Exchange["response"]): number | null {
  if (typeof item !== "object" || item === null || !("backOff" in item)) return null;
  return Number((item.backOff as { readonly N: string }).N);
}

/** The attributes that an update changes, without those that only its condition reads. */
function changedNames(request: Exchange["request"]): readonly string[] {
  const { UpdateExpression: expression, ExpressionAttributeNames: placeholders } = request;
  if (typeof expression !== "string") return [];
  const names = Object.entries(placeholders ?? {});
  return names.flatMap(([placeholder, name]) =>
    new RegExp(`${placeholder}\\b`).test(expression) ? [String(name)] : [],
  );
}

function countKinds(calls: readonly Call[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of calls) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
