/** One SIGKILL from outside, and the proof that it had its effect. */
import { readFile } from "node:fs/promises";
import { isAlive, descendants } from "./processes.ts";
import { type Life, sleep } from "./life.ts";
import type { Target } from "./plan.ts";

const EFFECT_WITHIN_MS = 15_000;
/** A program whose stand-in is gone ends by itself, batch in hand and all. */
const ENDS_WITHIN_MS = 60_000;

/** Command lines, by what is in them. A backend's tells its client's address. */
const COMMANDS: Readonly<Record<Exclude<Target, "program" | "starting" | "postgres">, string>> = {
  queue: "queue-server-child",
  table: "table-server-child",
  guardian: "postgres-guardian-child",
  consumer: "consumer-child",
  backend: "127.0.0.1(",
};

/** @throws Error where there was nothing to kill, or the kill had no effect */
export async function strike(
  life: Life,
  target: Target,
  options: { readonly dataDir: string; readonly draw: number },
): Promise<void> {
  switch (target) {
    case "program":
    case "starting":
      life.kill();
      await life.exited;
      return;
    case "queue":
    case "table":
    case "guardian":
      await killOne(life, COMMANDS[target], options.draw);
      await endsByItself(life, target);
      return;
    case "postgres":
      await killPid(await postmasterPid(options.dataDir));
      await endsByItself(life, target);
      return;
    case "consumer": {
      const pid = await killOne(life, COMMANDS.consumer, options.draw);
      const missed = new RegExp(`Consumer process ${pid} ended|A consumer process could not start: .*SIGKILL`);
      if (!(await life.said(missed, EFFECT_WITHIN_MS)))
        throw new Error(`nobody missed consumer ${pid}:\n${life.log()}`);
      return;
    }
    case "backend": {
      const pid = await killOne(life, COMMANDS.backend, options.draw);
      await untilLogged(
        `${options.dataDir}/postgres/postgres.log`,
        new RegExp(`PID ${pid}\\) was terminated by signal 9`),
      );
      return;
    }
    default: {
      const unreachable: never = target;
      throw new Error(`unknown target ${String(unreachable)}`);
    }
  }
}

async function killOne(life: Life, command: string, draw: number): Promise<number> {
  const deadline = performance.now() + EFFECT_WITHIN_MS;
  for (;;) {
    const found = descendants(life.pid, command);
    const chosen = found[Math.floor(draw * found.length)];
    if (chosen !== undefined) {
      await killPid(chosen.pid);
      return chosen.pid;
    }
    if (life.isOver() || performance.now() > deadline) throw new Error(`no process ${command} to kill:\n${life.log()}`);
    await sleep(20);
  }
}

async function killPid(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  while (isAlive(pid)) await sleep(5);
}

async function postmasterPid(dataDir: string): Promise<number> {
  const [pid] = (await readFile(`${dataDir}/postgres/data/postmaster.pid`, "utf8")).split("\n");
  return Number(pid);
}

async function endsByItself(life: Life, target: Target): Promise<void> {
  const over = await Promise.race([life.exited.then(() => true), sleep(ENDS_WITHIN_MS).then(() => false)]);
  if (!over) throw new Error(`the program outlived its ${target} by ${ENDS_WITHIN_MS} ms:\n${life.log()}`);
}

async function untilLogged(path: string, line: RegExp): Promise<void> {
  const deadline = performance.now() + EFFECT_WITHIN_MS;
  while (!line.test(await readFile(path, "utf8"))) {
    if (performance.now() > deadline) throw new Error(`${path} does not say ${String(line)}`);
    await sleep(20);
  }
}
