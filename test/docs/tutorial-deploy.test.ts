/** The deploy of the tutorial: with its settings the stage `production` is accepted, and its last command sets off an alarm that exists. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSettings } from "../../infra/settings.ts";
import { ROOT } from "../../scripts/run-step.ts";

const tutorial = readFileSync(join(ROOT, "docs/tutorial.md"), "utf8");
const deploy = tutorial.slice(tutorial.indexOf("## 7. Deploy it"));

function exported(text: string): Record<string, string> {
  const assignments = [...text.matchAll(/^export (.+)$/gm)].flatMap(([, line = ""]) => line.split(" "));
  return Object.fromEntries(
    assignments.map((each) => [each.split("=", 1)[0] ?? "", each.slice(each.indexOf("=") + 1)]),
  );
}

test("issue 18.6: the tutorial's deploy is accepted for production, and somebody hears of its alarms", () => {
  const env = exported(deploy);
  const { alarmEmail } = readSettings(env, { stage: "production" }).config.settings;
  expect(alarmEmail).toContain("@");
  expect(() => readSettings({ ...env, BACKFILL_ALARM_EMAIL: undefined }, { stage: "production" })).toThrow("alarms");
});

test("issue 18.6: it ends with an alarm that reaches somebody, of a name that is deployed", () => {
  const [, name] = /--alarm-name firehose-backfill-production-([\w-]+)/.exec(deploy) ?? [];
  const alarms = readFileSync(join(ROOT, "infra/alarms.ts"), "utf8");
  expect(alarms).toContain(`alarm("WaitingAlarm", "${name}"`);
});
