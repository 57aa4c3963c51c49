/**
 * AWS's published service models, as botocore has them: for each operation the shape of its input, with required members,
 * enums, patterns, lengths and ranges. They are in a zip inside an npm package that this folder's own lock pins; a
 * service is read when its first call is checked.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openZip, type Zip } from "./zip.ts";

const PACKAGES = fileURLToPath(new URL("../node_modules/", import.meta.url));
const ARCHIVE = `${PACKAGES}@aws-cdk/asset-awscli-v1/lib/layer.zip`;
const DATA = "awscli/awscli/botocore/data/";

export interface Shape {
  readonly type: string;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly min?: number;
  readonly max?: number;
  readonly union?: boolean;
}

export interface ServiceModel {
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string } }>>;
}

let archive: Zip | undefined;
const loaded = new Map<string, ServiceModel>();

export function areModelsInstalled(): boolean {
  return existsSync(ARCHIVE);
}

/** The newest version of a service's model. @throws Error when there is none. */
export function modelOf(service: string): ServiceModel {
  const known = loaded.get(service);
  if (known !== undefined) return known;
  archive ??= openZip(ARCHIVE);
  const prefix = `${DATA}${service}/`;
  // The folders are named by date, so that the last one is the newest.
  const newest = archive.names
    .filter((name) => name.startsWith(prefix) && name.endsWith("/service-2.json"))
    .toSorted()
    .at(-1);
  if (newest === undefined) throw new Error(`no model of the service ${service}`);
  const model = JSON.parse(archive.read(newest).toString("utf8")) as ServiceModel;
  loaded.set(service, model);
  return model;
}
