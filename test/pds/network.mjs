/** A PLC directory and one or more PDSes in this process, on loopback, with state in a temporary folder. */
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";

/**
 * @typedef {object} Pds
 * @property {string} url http://127.0.0.1:PORT
 * @property {string} publicUrl as DID documents name it
 * @property {string} did of the server
 * @property {(did: string) => Promise<{ did(): string, sign(bytes: Uint8Array): Promise<Uint8Array> }>} keyOf the signing key of an account
 * @property {string} rotationKey its own, with which it changes documents
 * @property {(did: string, to: Pds) => Promise<void>} handOver names another PDS, and its key, in the account's document
 * @property {() => Promise<number>} headSeq of its log
 */

/**
 * @typedef {object} Network
 * @property {string} url of the first PDS
 * @property {string} relayUrl as RELAY_URL takes it
 * @property {string} plcUrl of the PLC directory
 * @property {string} adminPassword
 * @property {() => Promise<number>} headSeq of the first PDS's log
 * @property {Pds} first
 * @property {(folder: string) => Promise<Pds>} addPds
 * @property {() => Promise<void>} stop
 */

const ADMIN_PASSWORD = "admin";

/**
 * @param {string} folder for everything they keep; made if it is missing
 * @returns {Promise<Network>}
 */
export async function startNetwork(folder) {
  const plcServer = await import("@did-plc/server");
  const { Database, PlcServer } = plcServer.default ?? plcServer;
  const plc = PlcServer.create({ db: Database.mock(), port: await freePort() });
  listenOnLoopback(plc.app);
  await plc.start();
  const plcUrl = `http://localhost:${plc.server.address().port}`;
  /** @type {{ stop: () => Promise<void> }[]} */
  const running = [];
  const addPds = async (own) => {
    const pds = await startPds(own, plcUrl);
    running.push(pds);
    return pds;
  };
  const first = await addPds(folder);
  return {
    url: first.url,
    relayUrl: first.url.replace("http", "ws"),
    plcUrl,
    adminPassword: ADMIN_PASSWORD,
    headSeq: first.headSeq,
    first,
    addPds,
    stop: async () => {
      for (const pds of running) await pds.stop();
      await plc.destroy();
    },
  };
}

/**
 * @param {string} folder
 * @param {string} plcUrl
 * @returns {Promise<Pds & { stop: () => Promise<void> }>}
 */
async function startPds(folder, plcUrl) {
  await mkdir(folder, { recursive: true });
  const [{ PDS, envToCfg, envToSecrets }, { Secp256k1Keypair }] = await Promise.all([
    import("@atproto/pds"),
    import("@atproto/crypto"),
  ]);
  const port = await freePort();
  const rotationKey = await Secp256k1Keypair.create({ exportable: true });
  const env = {
    devMode: true,
    port,
    hostname: "localhost",
    dataDirectory: folder,
    blobstoreDiskLocation: `${folder}/blobs`,
    didPlcUrl: plcUrl,
    serviceHandleDomains: [".test"],
    inviteRequired: false,
    // A repository of 100,000 records.
    maxImportSize: 200_000_000,
    disableSsrfProtection: true,
    adminPassword: ADMIN_PASSWORD,
    jwtSecret: "jwt-secret",
    plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotationKey.export()).toString("hex"),
    // Services that are not there: nothing may leave this machine.
    bskyAppViewUrl: "https://appview.invalid",
    bskyAppViewDid: "did:web:appview.invalid",
    modServiceUrl: "https://moderation.invalid",
    modServiceDid: "did:web:moderation.invalid",
    crawlers: [],
  };
  const pds = await PDS.create(envToCfg(env), envToSecrets(env));
  listenOnLoopback(pds.app);
  await pds.start();
  const { ctx } = pds;
  return {
    url: `http://127.0.0.1:${port}`,
    publicUrl: ctx.cfg.service.publicUrl,
    did: ctx.cfg.service.did,
    keyOf: (did) => ctx.actorStore.keypair(did),
    // As the account's owner does with an operation that the old PDS signs, but without the letter that holds the code for it.
    handOver: async (did, to) => {
      const key = await to.keyOf(did);
      await ctx.plcClient.updateData(did, ctx.plcRotationKey, (last) => ({
        ...last,
        rotationKeys: [...last.rotationKeys, to.rotationKey],
        verificationMethods: { ...last.verificationMethods, atproto: key.did() },
        services: { ...last.services, atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: to.publicUrl } },
      }));
    },
    rotationKey: rotationKey.did(),
    headSeq: async () => (await ctx.sequencer.curr()) ?? 0,
    stop: () => pds.destroy(),
  };
}

/** Both servers name a port only and would listen on every address of the machine. */
function listenOnLoopback(app) {
  const listen = app.listen.bind(app);
  app.listen = (port) => listen(port, "127.0.0.1");
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
