/**
 * Records the bundled sample anew: `npm run sample`. A real PDS on loopback plays the story of sample-story.mjs, and its
 * frames and the keys of its accounts replace the files in packages/embedded/fixtures.
 *
 * DIDs, keys and hashes are other ones each time, so what README.md and docs/ show of them has to be replaced, too (test/sample.test.ts says where).
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventsIn } from "../../packages/embedded/src/relay-frame.ts";
import { installFolder } from "../../scripts/install-folder.mjs";
import { setStoryClock } from "./story-clock.mjs";

const FIXTURES = fileURLToPath(new URL("../../packages/embedded/fixtures/", import.meta.url));
/** The story begins on a Thursday at six in the evening. */
const BEGINS_MS = Date.UTC(2026, 2, 5, 18);
/** The default pace applies them in two minutes. */
const EVENTS = 300;

const folder = await mkdtemp(join(tmpdir(), "pds-sample-"));
try {
  installFolder(
    fileURLToPath(new URL(".", import.meta.url)),
    "installing @atproto/pds and what it needs (about 90 s, once)",
  );
  const clock = setStoryClock(BEGINS_MS);
  await record(clock);
} finally {
  await rm(folder, { recursive: true, force: true });
}
// The PDS leaves timers behind.
process.exit();

async function record(clock) {
  // Imported late: what they import is there only after the installation, and takes the story's clock.
  const [{ startNetwork }, { connectTo }, { castOf }, { tellStory }, { followFrames, writeFrames }] = await Promise.all(
    [
      import("./network.mjs"),
      import("./client.mjs"),
      import("./sample-cast.mjs"),
      import("./sample-story.mjs"),
      import("./recorder.mjs"),
    ],
  );
  const network = await startNetwork(join(folder, "pds"));
  try {
    const pds = connectTo(network.url);
    // Read while it happens: when an account is deleted, a PDS forgets its earlier frames.
    const following = await followFrames(network.relayUrl);
    const { people, gone, deleted } = await tellStory(castOf(pds, clock), {
      deleteAccount: (did) => pds.admin(network.adminPassword, "com.atproto.admin.deleteAccount", { did }),
    });
    const frames = await following.upTo(await network.headSeq());
    const events = frames.reduce((sum, frame) => sum + eventsIn(frame), 0);
    console.log(`${frames.length} frames, ${events} events, until ${new Date().toISOString()}`);
    if (events !== EVENTS) throw new Error(`the story has ${events} events, but the sample has ${EVENTS}`);
    await writeFrames(`${FIXTURES}sample-frames.bin`, frames);
    const keys = {};
    for (const { did } of [...people, gone, deleted]) keys[did] = await signingKeyOf(network.plcUrl, did);
    await writeFile(`${FIXTURES}sample-keys.json`, `${JSON.stringify(keys, null, 2)}\n`);
  } finally {
    await network.stop();
  }
}

/** As the PLC directory tells it: a did:key. */
async function signingKeyOf(plcUrl, did) {
  const response = await fetch(`${plcUrl}/${did}/data`);
  const { verificationMethods } = await response.json();
  return verificationMethods.atproto;
}
