/** One archive is held in memory at a time: the others are walked meanwhile. */

export interface ArchiveRoom {
  tryTake(did: string): boolean;
  /** Nothing where somebody else has it. */
  giveBack(did: string): void;
}

export function archiveRoom(): ArchiveRoom {
  let holder: string | null = null;
  return {
    tryTake(did) {
      if (holder !== null && holder !== did) return false;
      holder = did;
      return true;
    },
    giveBack(did) {
      if (holder === did) holder = null;
    },
  };
}
