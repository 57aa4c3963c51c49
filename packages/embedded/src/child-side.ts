/**
 * The child's half of child.ts: says that it is ready, and ends when it is told to or when its parent is gone,
 * however the parent ended: the kernel closes the IPC channel also after SIGKILL.
 */

/** Longest a stop may take before the process ends anyway, unless told otherwise: a parent that is gone cannot send SIGKILL. */
const STOP_DEADLINE_MS = 4000;

/** Tells the parent that the child can be used. `value` is what the parent gets as `ready`; plain JSON. */
export function reportReady(value: unknown): void {
  if (process.send === undefined) throw new Error("no IPC channel: this module is started by forkChild()");
  // A parent that went away meanwhile is onParentGone()'s business, not an error.
  process.send({ ready: value }, () => {});
}

/**
 * Runs `stop` once, then ends the process, when the parent closes the channel or is gone. Signals are ignored: Ctrl-C
 * goes to the whole process group, and systemd sends SIGTERM to the whole service, while the parent still needs its
 * children to finish what it holds. Call it first, before anything that takes time.
 */
export function onParentGone(stop: () => void | Promise<void>, deadlineMs: number = STOP_DEADLINE_MS): void {
  let stopping = false;
  const end = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), deadlineMs).unref();
    void Promise.resolve()
      .then(stop)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
  };
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
  process.on("SIGTERM", () => {});
  process.on("disconnect", end);
  // The pipes to a dead parent are broken too; a log line must not end the process before `stop` has run.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  if (!process.connected) end();
}
