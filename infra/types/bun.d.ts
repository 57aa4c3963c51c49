/**
 * In place of Bun's types, which SST's configuration type imports for its console autodeploy: they bring a `URL` of their
 * own that is not Node's. tsconfig.json maps `bun` here; nothing of it is used.
 */
export type Shell = never;
