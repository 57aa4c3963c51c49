/**
 * From the order of the primary key to the order of paths. The key sorts by collection, then by record key; a path is
 * `collection/rkey`, and "-" and "." come before the slash: `a.b.c-d/x` is before `a.b.c/x`, although the collection `a.b.c` is before `a.b.c-d`.
 *
 * What comes before `a.b.c/` though it is after `a.b.c` begins with `a.b.c`, and therefore follows it directly. So a collection waits until those that
 * begin with its name are over. What waits at one time are beginnings of one another: never more than a name has characters.
 */

/** Collections as the primary key has them, ascending; given back in the order in which their paths come. */
export async function* inPathOrder(collections: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  const waiting: string[] = [];
  for await (const collection of collections) {
    for (let last = waiting.at(-1); last !== undefined && !comesBefore(collection, last); last = waiting.at(-1)) {
      waiting.pop();
      yield last;
    }
    waiting.push(collection);
  }
  yield* waiting.toReversed();
}

/** Whether the paths of `collection` come before those of `shorter`, which comes first in the primary key. */
function comesBefore(collection: string, shorter: string): boolean {
  return collection.startsWith(shorter) && collection.charAt(shorter.length) < "/";
}
