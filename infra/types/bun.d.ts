/**
 * Replaces Bun's types, which SST's configuration type imports for its console autodeploy: they declare another `URL`
 * than Node's. tsconfig.json maps `bun` here; nothing of it is used.
 */
export type Shell = never;
