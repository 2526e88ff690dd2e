// pg-boss.
//
// Settings: `notify` on the queue and `useListenNotify`, its LISTEN based waking; `batchSize` and `localConcurrency` as a sweep chose, with
// `burstWhenBatchFull`, which fetches on without delay while batches are full; `insert` for bulk, with no ids asked back.
// The handler calls the task once for each job of its batch. Ended jobs are kept for a week by default.
"use strict";
const { connection, nothing, onOwnNode, report, serve, setting } = require("./node/adapter.cjs");

const INSERT = 10_000;

function boss(options, more) {
  const { PgBoss } = require("pg-boss");
  const made = new PgBoss({ ...options, useListenNotify: true, ...more });
  made.on("error", (error) => console.error(error));
  return made;
}

class PgBossPeer {
  package = "pg-boss";
  left = "select count(*) from pgboss.job where state < 'completed'";

  async create(options) {
    const made = boss(options);
    await made.start();
    for (const queue of ["nothing", "report"]) await made.createQueue(queue, { notify: true });
    await made.stop();
  }

  async open(options) {
    this.boss = boss(options, { supervise: false, schedule: false });
    await this.boss.start();
  }

  async enqueue(task, n) {
    await this.boss.send(task, { n });
  }

  prepared(count) {
    return Array.from({ length: count }, (_, n) => ({ data: { n } }));
  }

  async enqueueAll(prepared) {
    for (let from = 0; from < prepared.length; from += INSERT)
      await this.boss.insert("nothing", prepared.slice(from, from + INSERT));
  }

  async close() {
    await this.boss?.stop({ graceful: false });
  }
}

async function work() {
  const made = boss(connection(process.env.BENCH_STORE));
  await made.start();
  const options = { batchSize: setting("batch", 1000), localConcurrency: setting("local_concurrency", 1), burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
  await made.work("nothing", options, async (jobs) => {
    for (const job of jobs) nothing(job.data);
  });
  await made.work("report", options, async (jobs) => {
    for (const job of jobs) report(job.data);
  });
  process.on("SIGTERM", () => made.stop({ timeout: 5000 }).finally(() => process.exit(0)));
}

onOwnNode(() => (process.argv[2] === "work" ? work() : serve(new PgBossPeer(), __filename)));
