/** XRPC calls to the PDS: an account's own, the administrator's, and anybody's. */

/** What the PDS answered instead of 200. */
export class XrpcError extends Error {
  name = "XrpcError";
  /**
   * @param {string} method
   * @param {number} status
   * @param {{ error?: string, message?: string }} body
   */
  constructor(method, status, body) {
    super(`${method}: ${status} ${body.error ?? ""} ${body.message ?? ""}`);
    this.error = body.error ?? "";
  }
}

/** @param {string} url of the PDS */
export function connectTo(url) {
  const call = async (method, init) => {
    const response = await fetch(`${url}/xrpc/${method}`, init);
    const text = await response.text();
    const body = text === "" ? {} : JSON.parse(text);
    if (!response.ok) throw new XrpcError(method.split("?")[0], response.status, body);
    return body;
  };
  const post = (method, body, authorization) =>
    call(method, {
      method: "POST",
      headers: {
        // A procedure that takes no input refuses even an empty one.
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    /** A query without credentials. */
    get: (method, params) => call(`${method}?${new URLSearchParams(params)}`),
    /** As the administrator. */
    admin: (password, method, body) =>
      post(method, body, `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`),
    /**
     * A new account, logged in. `brought`: an account of another PDS comes here, with what that one has signed for it; it is
     * not active before it says so.
     * @param {string} handle
     * @param {{ did: string, token: string }} [brought]
     */
    async createAccount(handle, brought) {
      const session = await post(
        "com.atproto.server.createAccount",
        {
          handle,
          email: `${handle}@example.com`,
          password: "a password",
          ...(brought === undefined ? {} : { did: brought.did }),
        },
        brought === undefined ? undefined : `Bearer ${brought.token}`,
      );
      const authorization = `Bearer ${session.accessJwt}`;
      return {
        did: session.did,
        handle,
        call: (method, body) => post(method, body, authorization),
        /** Bytes that a record may refer to. */
        upload: (bytes, type) =>
          call("com.atproto.repo.uploadBlob", {
            method: "POST",
            headers: { "content-type": type, authorization },
            body: bytes,
          }),
        query: (method, params) => call(`${method}?${new URLSearchParams(params)}`, { headers: { authorization } }),
        /** @param {Uint8Array} car */
        importRepo: (car) =>
          call("com.atproto.repo.importRepo", {
            method: "POST",
            headers: { authorization, "content-type": "application/vnd.ipld.car" },
            body: car,
          }),
      };
    },
    /** The archive of a repo. */
    async getRepo(did) {
      const response = await fetch(`${url}/xrpc/com.atproto.sync.getRepo?did=${did}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    /** Every record of a repo by `collection/rkey`, as listRecords tells it page by page. */
    async listRepo(did) {
      const { collections, handle } = await this.get("com.atproto.repo.describeRepo", { repo: did });
      const records = new Map();
      for (const collection of collections) {
        for (let cursor; ;) {
          const params = { repo: did, collection, limit: "100", ...(cursor === undefined ? {} : { cursor }) };
          const page = await this.get("com.atproto.repo.listRecords", params);
          for (const { uri, cid, value } of page.records)
            records.set(uri.split("/").slice(3).join("/"), { cid, value });
          cursor = page.cursor;
          if (cursor === undefined || page.records.length === 0) break;
        }
      }
      return { handle, records };
    },
  };
}
