/** What an audit costs: requests, transactions and CPU, with the benchmark's own repositories on a Postgres of its own. */
import { expect, it } from "vitest";
import { auditOf } from "../../bench/audit.ts";

const REPOS = 200;
/** The list of repositories, and what the driver asks when it connects. */
const BESIDE = 20;

it("issue 16 (bar): a repository of 100,000 rows takes less than 2 s of CPU, 1 transaction and 2 requests", async () => {
  const figures = await auditOf([100_000], 1);
  expect(figures).toMatchObject({ equal: 1, requests: { directory: 1, hosts: 1 } });
  expect(figures.cpuSeconds).toBeLessThan(2);
  expect(figures.transactions).toBeLessThanOrEqual(1 + BESIDE);
}, 300_000);

it("issue 16 (bar): repositories of 100 records take 2 requests and 1 transaction each, and nothing is read twice", async () => {
  const figures = await auditOf(
    Array.from({ length: REPOS }, () => 100),
    1,
  );
  expect(figures).toMatchObject({ equal: REPOS, requests: { directory: REPOS, hosts: REPOS } });
  expect(figures.transactions).toBeGreaterThanOrEqual(REPOS);
  expect(figures.transactions).toBeLessThanOrEqual(REPOS + BESIDE);
  // A page of the table for each row at most, and the index.
  expect(figures.pages).toBeLessThan(REPOS * 100 * 2);
}, 300_000);
