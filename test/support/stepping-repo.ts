/** An account whose repository goes from step to step: each is a signed commit with a tree of its own, and the frame that a relay would send of it. */
import { CID } from "multiformats/cid";
import { encode } from "@ipld/dag-cbor";
import { commitBlock, commitFrame, car, cidOf, markerFrame } from "@firehose-backfill/testing/firehose/frames";
import { makeRepo, type TestRepo, tidOf } from "@firehose-backfill/testing/repos/test-repo";
import { newSigner } from "./sign.ts";

export interface Op {
  readonly action: "create" | "update" | "delete";
  readonly path: string;
}

export interface SteppingRepo {
  readonly did: string;
  /** After each step. */
  readonly states: readonly TestRepo[];
  /** As it is at the end. */
  readonly last: TestRepo;
  /** Of step `n`, from 0. */
  frame(n: number, seq: number): Buffer;
  /** What the repository says of itself after its last step. */
  sync(seq: number): Buffer;
}

const SECOND_MS = 1_000;

/** One operation a step. */
export function steppingRepo(did: string, ops: readonly Op[], beganMs: number): SteppingRepo {
  const signer = newSigner("k256");
  const records = new Map<string, Uint8Array>();
  const values = ops.map(({ path }, n) => ({ $type: path.split("/")[0], text: `step ${n} of ${did}` }));
  const states = ops.map(({ action, path }, n) => {
    if (action === "delete") records.delete(path);
    else records.set(path, encode(values[n]));
    return makeRepo(Object.fromEntries(records), { did, rev: tidOf(beganMs + n * SECOND_MS), signer });
  });
  const at = (n: number): TestRepo => {
    const state = states[n];
    if (state === undefined) throw new Error(`${did} has no step ${n}`);
    return state;
  };
  return {
    did,
    states,
    last: at(ops.length - 1),
    frame(n, seq) {
      const { rev, data } = at(n);
      const { action, path } = ops[n] ?? { action: "create", path: "" };
      const before = n === 0 ? {} : { since: at(n - 1).rev, prevData: CID.decode(at(n - 1).data) };
      return commitFrame({
        seq,
        did,
        rev,
        timeMs: beganMs + n * SECOND_MS,
        ops: [{ action, path, record: action === "delete" ? null : values[n] }],
        commit: { data: CID.decode(data) },
        payload: before,
      });
    },
    sync(seq) {
      const { rev, data } = at(ops.length - 1);
      const block = commitBlock({ did, rev, data: CID.decode(data) });
      return markerFrame("#sync", seq, { did, rev, blocks: car(cidOf(block), [[cidOf(block), block]]) });
    },
  };
}
