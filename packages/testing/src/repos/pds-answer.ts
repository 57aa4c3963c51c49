/** What a PDS answers of a repository in memory, with the order of blocks and the errors of the reference implementation. */
import { cidFromText, cidToText } from "@firehose-backfill/core/cid";
import { decodeNode } from "@firehose-backfill/repos/tree/node";
import { type CarBlock, makeCar } from "./make-car.ts";
import type { TestRepo } from "./test-repo.ts";

export interface PdsAnswer {
  readonly status: number;
  readonly type: "application/json" | "application/vnd.ipld.car";
  readonly body: Buffer;
}

/** `since`: the repository as it was at the revision that the address names. */
export function answerOf(url: URL, repo: TestRepo, since?: TestRepo): PdsAnswer {
  const { searchParams: params } = url;
  const blockOf = (cid: Uint8Array): CarBlock => ({ cid, bytes: repo.blocks.get(cidToText(cid)) ?? Buffer.alloc(0) });
  switch (url.pathname.replace("/xrpc/com.atproto.sync.", "")) {
    case "getRepo": {
      // Newest first, CIDs descending: the commit stands wherever its hash puts it.
      const written = [...repo.blocks.keys()].filter((cid) => since?.blocks.has(cid) !== true);
      const cids = written.sort().toReversed();
      return carOf(
        repo.commit,
        cids.flatMap((cid) => blockAt(repo, cid)),
      );
    }
    case "getBlocks": {
      const cids = params.getAll("cids");
      const missing = cids.filter((cid) => !repo.blocks.has(cid));
      if (missing.length > 0) return refusalOf(400, "InvalidRequest", `Could not find cids: ${missing.join(",")}`);
      return carOf(
        null,
        cids.flatMap((cid) => blockAt(repo, cid)),
      );
    }
    case "getRecord": {
      const key = `${params.get("collection")}/${params.get("rkey")}`;
      const path = pathTo(repo, key).map(blockOf);
      return carOf(repo.commit, [blockOf(repo.commit), ...path]);
    }
    case "getLatestCommit":
      return jsonOf(200, { cid: cidToText(repo.commit), rev: repo.rev });
    default:
      return refusalOf(501, "MethodNotImplemented");
  }
}

export function refusalOf(status: number, error: string, message = "as the test wants it"): PdsAnswer {
  return jsonOf(status, { error, message });
}

function jsonOf(status: number, value: object): PdsAnswer {
  return { status, type: "application/json", body: Buffer.from(JSON.stringify(value)) };
}

function carOf(root: Uint8Array | null, blocks: readonly CarBlock[]): PdsAnswer {
  return { status: 200, type: "application/vnd.ipld.car", body: makeCar(root, blocks) };
}

function blockAt(repo: TestRepo, text: string): CarBlock[] {
  const cid = cidFromText(text);
  const bytes = repo.blocks.get(text);
  return cid === null || bytes === undefined ? [] : [{ cid, bytes }];
}

/** The nodes from the root to where the key is or would be, and the record. */
function pathTo(repo: TestRepo, key: string): Uint8Array[] {
  const path: Uint8Array[] = [];
  let next: Uint8Array | null = repo.data;
  while (next !== null) {
    path.push(next);
    const { left, entries }: ReturnType<typeof decodeNode> = decodeNode(
      Buffer.from(repo.blocks.get(cidToText(next)) ?? []),
    );
    const before = entries.findLast((entry) => entry.key <= key);
    if (before?.key === key) return [...path, before.value];
    next = before === undefined ? left : before.tree;
  }
  return path;
}
