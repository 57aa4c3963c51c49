import { handClock } from "@firehose-backfill/testing/firehose/hand-clock";
import { describe, expect, it } from "vitest";
import { FrameQueue } from "./frame-queue.ts";
import { Monitor, type MonitorOptions, type MonitorVerdict } from "./monitor.ts";
import type { ProbeResult } from "./probe.ts";
import { DEFAULT_TIMINGS } from "./timings.ts";

const CURSOR = { seq: 10, timeMs: 1_000 };
const FIRST = { seq: 900, timeMs: 5_000_000 };
const SUSPICION = { cursor: CURSOR, first: FIRST, isStart: false };
/** Nothing comes for as long as is listened; a frame comes after a second, and so does a refusal. */
const SILENT: ProbeResult = { kind: "silent" };
const FRAME: ProbeResult = { kind: "frame", position: { seq: 500, timeMs: 9 }, isOutdated: false };
const FAILED: ProbeResult = { kind: "failed", detail: "429" };

interface Scene {
  readonly looks?: readonly ProbeResult[];
  readonly lookMs?: number;
  readonly hostSeen?: boolean;
  readonly isAnswering?: boolean;
  readonly silentSinceMs?: number;
  readonly idleMs?: number;
}

/** A monitor of a connection that opens now, and what happens to it. Times are told from that moment on. */
function setUp(scene: Scene = {}) {
  const { looks = [], lookMs, hostSeen = true, isAnswering = true, silentSinceMs, idleMs = 1_000 } = scene;
  const clock = handClock();
  const beganMs = clock.now();
  const now = () => clock.now() - beganMs;
  const asked: { readonly cursor: number | null; readonly atMs: number; readonly signal: AbortSignal }[] = [];
  const happened: string[] = [];
  const connection = {
    isOpen: false,
    isFlowing: false,
    isCut: false,
    openedMs: 0,
    refused: null as string | null,
    frames: new FrameQueue(),
    ping(): void {
      happened.push(`ping at ${now()}`);
      if (isAnswering) monitor.signs.pong(clock.now());
    },
    drop(detail: string): void {
      happened.push(`drop at ${now()}: ${detail}`);
      connection.frames.clear();
      end();
    },
  };
  const stream = { hostSeen, isDoubting: false, cursor: CURSOR.seq, position: CURSOR, isNoNews: () => false };
  const probe: MonitorOptions["probe"] = async ({ cursor, listenMs }, signal) => {
    const result = looks[asked.length] ?? SILENT;
    asked.push({ cursor, atMs: now(), signal });
    await clock.sleep(lookMs ?? (result === SILENT ? listenMs : 1_000), signal);
    return result;
  };
  const watched = () => ({ connection, stream });
  const since = silentSinceMs === undefined ? null : beganMs + silentSinceMs;
  const timings = { ...DEFAULT_TIMINGS, idleMs };
  const monitor = new Monitor({ clock, timings, silentSinceMs: since, watched, probe });
  const open = (): void => {
    Object.assign(connection, { isOpen: true, isFlowing: true, openedMs: clock.now() });
    monitor.signs.frame(clock.now());
  };
  const hold = (): void => {
    connection.frames.push(Buffer.of(1));
    monitor.suspect(SUSPICION);
  };
  const end = (): void => void Object.assign(connection, { isOpen: false, isFlowing: false });
  /** What a reader does: it polls, and sleeps until a deadline or until it is woken. Ends with the first verdict. */
  const watch = async (ms: number): Promise<{ readonly verdict: MonitorVerdict; readonly atMs: number }> => {
    const untilMs = clock.now() + ms;
    const watching = (async () => {
      for (;;) {
        const verdict = monitor.poll(clock.now());
        if (verdict.kind !== "open" || clock.now() >= untilMs) return { verdict, atMs: now() };
        await monitor.sleepUntil(untilMs);
      }
    })();
    await clock.advance(ms);
    return watching;
  };
  open();
  return { clock, connection, stream, monitor, asked, happened, open, hold, end, watch };
}

const nothing = (atMs: number) => ({ verdict: { kind: "open" }, atMs });
const ends = (because: string, atMs: number) => ({ verdict: { kind: "end", ending: { because } }, atMs });

describe("issue 13.6: the monitor of an open connection", () => {
  it("does nothing before it is open, nor while we do not let frames in", async () => {
    const { connection, end, watch, monitor, asked, happened } = setUp();
    end();
    expect(await watch(100_000)).toMatchObject(nothing(100_000));
    connection.isOpen = true;
    expect(await watch(100_000)).toMatchObject(nothing(200_000));
    expect([asked, happened, monitor.deadlineMs]).toEqual([[], [], Number.POSITIVE_INFINITY]);
  });

  it("pings into silence, and not while frames come", async () => {
    const { clock, watch, monitor, happened } = setUp();
    for (let second = 0; second < 10; second++) {
      monitor.signs.frame(clock.now());
      await watch(900);
    }
    expect(happened).toEqual([]);
    await watch(200);
    expect(happened).toEqual(["ping at 9100"]);
  });

  it("goes to not open: a ping that nothing answers costs the connection", async () => {
    const { watch, happened, asked } = setUp({ isAnswering: false });
    expect(await watch(60_000)).toMatchObject(nothing(60_000));
    expect(happened).toEqual(["ping at 1000", "drop at 21000: half-open: no frame and no pong for 21000 ms"]);
    // Without an answer no look is taken, because the silence may be the connection's own.
    expect(asked).toEqual([]);
  });

  it("ends where the host has refused for good", () => {
    const { connection, end, monitor, clock } = setUp();
    end();
    connection.refused = "HTTP 404";
    expect(monitor.poll(clock.now())).toEqual({ kind: "end", ending: { because: "refused", detail: "HTTP 404" } });
  });
});

describe("issue 13.6: the monitor of a host that never sent a frame", () => {
  it("ends after a minute", async () => {
    const { watch, asked } = setUp({ hostSeen: false });
    expect(await watch(100_000)).toMatchObject(ends("host-silent", 60_000));
    expect(asked).toEqual([]);
  });

  it("counts from the run's first reader; half a minute has to pass on one connection", async () => {
    expect(await setUp({ hostSeen: false, silentSinceMs: -45_000 }).watch(100_000)).toMatchObject(
      ends("host-silent", 30_000),
    );
    const { watch, end, open } = setUp({ hostSeen: false });
    await watch(50_000);
    end();
    await watch(5_000);
    open();
    expect(await watch(100_000)).toMatchObject(ends("host-silent", 85_000));
  });

  it("goes on watching when a frame comes", async () => {
    const { watch, stream, monitor, clock } = setUp({ hostSeen: false });
    await watch(59_000);
    stream.hostSeen = true;
    monitor.signs.frame(clock.now());
    expect(await watch(4_000)).toMatchObject(nothing(63_000));
  });
});

describe("issue 13.6: the monitor of a first frame that is much later than the cursor", () => {
  it("holds the frames until a probe has ended, and until the reader has been told", async () => {
    const { clock, monitor, hold, watch, asked } = setUp({ looks: [FRAME] });
    expect([monitor.isSuspicious(1_000, 5_000_000), monitor.isSuspicious(1_000, 2_000)]).toEqual([true, false]);
    hold();
    expect(monitor.poll(clock.now())).toEqual({ kind: "open" });
    await clock.advance(1_000);
    expect(monitor.isHolding).toBe(true);
    const gap = { from: CURSOR, to: { seq: 500 } };
    expect(await watch(1)).toMatchObject({ verdict: { kind: "gap-checked", finding: { gap } } });
    expect(monitor.isHolding).toBe(false);
    expect(asked).toMatchObject([{ cursor: 0, atMs: 0 }]);
  });

  it("does not stop the probe when the connection is dropped, because another one would have to wait", async () => {
    const { hold, watch, happened, asked } = setUp({ looks: [FRAME], lookMs: 25_000, isAnswering: false });
    hold();
    expect(await watch(30_000)).toMatchObject({ verdict: { kind: "gap-checked" }, atMs: 25_000 });
    expect(happened.at(-1)).toMatch(/^drop at 21000/);
    expect(asked).toHaveLength(1);
  });

  it("forgets it with the connection that the reader drops; the next probe waits for its minute", async () => {
    const { monitor, hold, watch, asked } = setUp({ looks: [SILENT, FRAME], lookMs: 5_000 });
    hold();
    await watch(1_000);
    monitor.forgetSuspicion();
    expect([monitor.isHolding, asked[0]?.signal.aborted]).toEqual([false, true]);
    hold();
    expect(await watch(100_000)).toMatchObject({ verdict: { kind: "gap-checked" }, atMs: 65_000 });
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 60_000]);
  });
});

describe("issue 13.6: the monitor of a host that falls silent", () => {
  it("takes two looks, and ends when none brings a frame: quiet", async () => {
    const { watch, asked } = setUp();
    expect(await watch(100_000)).toMatchObject(ends("quiet", 15_000));
    expect(asked).toMatchObject([
      { cursor: 10, atMs: 5_000 },
      { cursor: null, atMs: 10_000 },
    ]);
  });

  it("reconnects when the second connection brings a frame, and ours does not within 5 s", async () => {
    const { watch } = setUp({ looks: [FRAME] });
    expect(await watch(100_000)).toMatchObject({ verdict: { kind: "reconnect" }, atMs: 11_000 });
  });

  it("ends when only the live connection brings a frame: silent on our cursor", async () => {
    const { watch } = setUp({ looks: [SILENT, FRAME] });
    expect(await watch(100_000)).toMatchObject(ends("silent-on-cursor", 16_000));
  });

  it("looks again after half a minute when it could not look", async () => {
    const { watch, asked } = setUp({ looks: [FAILED] });
    expect(await watch(100_000)).toMatchObject(ends("quiet", 46_000));
    expect(asked.map(({ atMs }) => atMs)).toEqual([5_000, 36_000, 41_000]);
  });

  const STAGES = [
    ["the second look", [SILENT], 7_000],
    ["the live look", [SILENT, SILENT], 12_000],
    ["the grace behind the second look", [FRAME], 8_000],
    ["the grace behind the live look", [SILENT, FRAME], 13_000],
  ] as const;

  it.each(STAGES)("goes back from %s to watching when a frame comes", async (_, looks, atMs) => {
    const { clock, watch, monitor, asked } = setUp({ looks });
    expect(await watch(atMs)).toMatchObject(nothing(atMs));
    monitor.signs.frame(clock.now());
    expect(await watch(100_000)).toMatchObject(ends("quiet", atMs + 15_000));
    expect(asked.slice(-2)).toMatchObject([{ atMs: atMs + 5_000 }, { atMs: atMs + 10_000 }]);
  });

  it.each(STAGES)("goes back from %s to not open when the connection ends", async (_, looks, atMs) => {
    const { watch, end, open, asked } = setUp({ looks });
    await watch(atMs);
    end();
    expect(await watch(100_000)).toMatchObject(nothing(atMs + 100_000));
    expect(asked.at(-1)?.signal.aborted).toBe(true);
    open();
    expect(await watch(100_000)).toMatchObject(ends("quiet", atMs + 115_000));
  });
});

describe("issue 13.6: the monitor of a frame whose number is doubted", () => {
  it("wakes the reader when its patience changes", async () => {
    const { clock, connection, stream, monitor, watch } = setUp({ idleMs: 700 });
    connection.frames.push(Buffer.of(1));
    stream.isDoubting = true;
    const beganMs = clock.now();
    expect([monitor.doubt.patience(), monitor.deadlineMs - beganMs]).toEqual(["none", 700]);
    await watch(700);
    expect([monitor.doubt.patience(), monitor.deadlineMs - beganMs]).toEqual(["pause", 1_000]);
    expect(monitor.doubt.takeDecidedSinceMs()).toBe(beganMs);
    await watch(4_300);
    expect(monitor.doubt.patience()).toBe("silence");
    monitor.doubt.decideNow();
    expect(monitor.doubt.patience()).toBe("end");
    monitor.doubt.noteTaken();
    expect(monitor.doubt.patience()).toBe("silence");
  });

  it("reads it again on two more connections, and then decides it without what is behind it", () => {
    const { connection, monitor } = setUp();
    expect(monitor.doubt.next(CURSOR, 10)).toBe("wait");
    connection.isCut = true;
    expect(monitor.doubt.patience()).toBe("pause");
    expect([1, 2, 3].map(() => monitor.doubt.next(CURSOR, 10))).toEqual(["reconnect", "reconnect", "decide"]);
    monitor.doubt.noteTaken();
    expect([monitor.doubt.next(FIRST, 900), monitor.doubt.next(FIRST, null)]).toEqual(["reconnect", "decide"]);
  });
});

it("issue 13.6: a closed monitor ends its looks and the sleep of its reader", async () => {
  const { clock, monitor, watch, asked } = setUp({ looks: [SILENT, FRAME] });
  await watch(6_000);
  const sleeping = monitor.sleepUntil(Number.POSITIVE_INFINITY);
  monitor.close();
  await sleeping;
  expect([clock.now(), asked[0]?.signal.aborted]).toEqual([1_006_000, true]);
});
