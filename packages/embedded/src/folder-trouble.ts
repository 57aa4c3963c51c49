/** Turns the file system's errors about the data folder into a sentence that tells the operator what to do. */

/** The sentence has no full stop; null: the error is not about the folder. */
export function folderTrouble(error: unknown, folder: string): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return `the disk of the data folder ${folder} is full: free some space there`;
    case "ENOENT":
      return `the data folder ${folder} is gone: restore it, or start again without it`;
    case "EEXIST":
    case "ENOTDIR":
      return `the data folder ${folder} cannot be used, because it or a folder above it is a file: move that file away`;
    case "EACCES":
    case "EPERM":
      return `this user may not use the data folder ${folder}, perhaps because root copied it: change its owner (chown -R)`;
    case "EROFS":
      return `the data folder ${folder} is on a disk that is read only: mount it for writing`;
    case "ENAMETOOLONG":
    case "ELOOP":
    case "EIO":
    case "EMFILE":
      return `the data folder ${folder} cannot be used (${code}): look at its disk`;
    default:
      return null;
  }
}
