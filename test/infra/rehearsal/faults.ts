/** The deliberate faults, each with what has to refuse it. Those of the issue's own list say so. */
import { COMPUTE_FAULTS } from "./faults-compute.ts";
import { DASHBOARD_FAULTS } from "./faults-dashboard.ts";
import { ROLE_FAULTS } from "./faults-roles.ts";
import { STORAGE_FAULTS } from "./faults-storage.ts";
import { WATCHING_FAULTS } from "./faults-watching.ts";
import type { Fault } from "./fault.ts";

export const FAULTS: readonly Fault[] = [
  ...COMPUTE_FAULTS,
  ...STORAGE_FAULTS,
  ...ROLE_FAULTS,
  ...WATCHING_FAULTS,
  ...DASHBOARD_FAULTS,
];
