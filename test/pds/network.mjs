/** A PLC directory and a PDS in this process, on loopback, with state in a temporary folder. */
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";

/**
 * @typedef {object} Network
 * @property {string} url of the PDS, http://127.0.0.1:PORT
 * @property {string} relayUrl as RELAY_URL takes it
 * @property {string} plcUrl of the PLC directory
 * @property {string} adminPassword
 * @property {() => Promise<number>} headSeq of the PDS's log
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} folder for everything they keep; made if it is missing
 * @returns {Promise<Network>}
 */
export async function startNetwork(folder) {
  await mkdir(folder, { recursive: true });
  const [{ PDS, envToCfg, envToSecrets }, plcServer, { Secp256k1Keypair }] = await Promise.all([
    import("@atproto/pds"),
    import("@did-plc/server"),
    import("@atproto/crypto"),
  ]);
  const { Database, PlcServer } = plcServer.default ?? plcServer;
  const plc = PlcServer.create({ db: Database.mock(), port: await freePort() });
  listenOnLoopback(plc.app);
  await plc.start();
  const plcAddress = plc.server.address();

  const port = await freePort();
  const rotationKey = await Secp256k1Keypair.create({ exportable: true });
  const adminPassword = "admin";
  const env = {
    devMode: true,
    port,
    hostname: "localhost",
    dataDirectory: folder,
    blobstoreDiskLocation: `${folder}/blobs`,
    didPlcUrl: `http://localhost:${plcAddress.port}`,
    serviceHandleDomains: [".test"],
    inviteRequired: false,
    disableSsrfProtection: true,
    adminPassword,
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
  return {
    url: `http://127.0.0.1:${port}`,
    relayUrl: `ws://127.0.0.1:${port}`,
    plcUrl: `http://localhost:${plcAddress.port}`,
    adminPassword,
    headSeq: async () => (await pds.ctx.sequencer.curr()) ?? 0,
    stop: async () => {
      await pds.destroy();
      await plc.destroy();
    },
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
