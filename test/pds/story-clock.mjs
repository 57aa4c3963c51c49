/**
 * The time of a recorded story: it stands still while the PDS works, and moves on by some seconds with each thing that somebody does.
 * An evening is then recorded in seconds, and the times of records, keys, revisions and frames still fit together.
 *
 * To be set before the PDS is imported, because its libraries take `Date` when they are loaded.
 */

const RealDate = globalThis.Date;

/**
 * @param {number} startMs
 * @returns {{ advance: (ms: number) => void }}
 */
export function setStoryClock(startMs) {
  let nowMs = startMs;
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      if (given.length === 0) super(nowMs);
      else super(...given);
    }

    static now() {
      return nowMs;
    }
  };
  return {
    advance: (ms) => {
      nowMs += ms;
    },
  };
}
