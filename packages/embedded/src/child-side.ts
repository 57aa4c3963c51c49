/**
 * The child's half of child.ts: reports that the child is ready, and ends it when the parent asks for it or is gone.
 * This works however the parent ended, because the kernel closes the IPC channel even after SIGKILL.
 */

/** The default of the longest time that a stop may take: a dead parent cannot send SIGKILL, so the process then ends itself. */
const STOP_DEADLINE_MS = 4000;

/** Tells the parent that the child can be used. The parent gets `value` (plain JSON) as `ready`. */
export function reportReady(value: unknown): void {
  if (process.send === undefined) throw new Error("no IPC channel: this module is started by forkChild()");
  // If the parent is gone meanwhile, onParentGone() handles that; here it is no error.
  process.send({ ready: value }, () => {});
}

/**
 * Runs `stop` once and then ends the process, when the parent closes the channel or is gone. Signals are ignored: Ctrl-C
 * goes to the whole process group, and systemd sends SIGTERM to the whole service, while the parent still needs its
 * children to finish its work. Call it first, before anything that takes time.
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
  // The pipes to a dead parent are broken, too; a log line must not end the process before `stop` has run.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  if (!process.connected) end();
}
