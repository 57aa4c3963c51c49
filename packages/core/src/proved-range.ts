/**
 * Ranges of repositories among the events of a batch: each stands before the records that belong to it. What the tables rely
 * on is checked here: of a record that is not named with its range, the range would delete the row.
 */
import { LayoutError } from "./cbor/field-reader.ts";
import type { DeadEntry, FirehoseEvent, LiveEvent, RangeEvent, RecordEvent } from "./event.ts";

export type RangeMember = RecordEvent | DeadEntry;

/** A range with what belongs to it, or an event by itself. */
export type EventGroup =
  | { readonly kind: "range"; readonly range: RangeEvent; readonly members: readonly RangeMember[] }
  | { readonly kind: "single"; readonly event: LiveEvent | DeadEntry };

/** @throws LayoutError where the events that follow a range are not those that it announces */
export function* groupEvents(events: readonly FirehoseEvent[]): Generator<EventGroup, void, undefined> {
  for (let index = 0; index < events.length; index++) {
    const event = events[index];
    if (event === undefined) continue;
    if (event.kind !== "range") {
      yield { kind: "single", event };
      continue;
    }
    const members = events.slice(index + 1, index + 1 + event.records);
    yield { kind: "range", range: event, members: checkedMembers(event, members) };
    index += members.length;
  }
}

/** For how many events they count, in a batch and on the pace: a range by its records, and as one where it has none. */
export function countedEvents(events: readonly FirehoseEvent[]): number {
  let counted = 0;
  for (const event of events) if (event.kind !== "range" || event.records === 0) counted += 1;
  return counted;
}

export function countEmptyRanges(events: readonly FirehoseEvent[]): number {
  return events.filter((event) => event.kind === "range" && event.records === 0).length;
}

/** `collection/rkey`; null: it is not known. */
export function keyOf(member: RangeMember): string | null {
  return member.kind === "dead" ? member.path : `${member.collection}/${member.rkey}`;
}

function checkedMembers(range: RangeEvent, events: readonly FirehoseEvent[]): readonly RangeMember[] {
  if (range.records < 0 || events.length !== range.records)
    throw new LayoutError(`a range announces ${range.records} records, and ${events.length} events follow it`);
  let last = range.from;
  return events.map((event) => {
    if (event.kind !== "record" && event.kind !== "dead")
      throw new LayoutError(`an event of the kind ${event.kind} stands among the records of a range`);
    if (event.did !== range.did) throw new LayoutError("a record of another repository stands in a range");
    if (event.kind === "record" && (event.rev !== range.rev || event.action !== "create"))
      throw new LayoutError("a record of a range has another revision, or is not there");
    const key = keyOf(event);
    if (key === null || key <= last || key > range.to)
      throw new LayoutError("the records of a range are not in the order of their keys, or lie outside it");
    last = key;
    return event;
  });
}
