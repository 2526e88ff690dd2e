// graphile-worker.
//
// Settings: its page "Performance" (worker.graphile.org/docs/performance) has 24 jobs at once, a pool of 25, a local queue
// of 500 and completions in batches without delay; what a sweep found better is taken instead. Bulk is `addJobs`. Ended
// jobs are deleted, as always with it.
"use strict";
const { connection, nothing, onOwnNode, report, serve, setting } = require("./node/adapter.cjs");

const PRESET = {
  worker: {
    concurrentJobs: setting("concurrency", 24),
    maxPoolSize: 25,
    localQueue: { size: setting("local_queue", 500) },
    completeJobBatchDelay: setting("complete_delay", 0),
    failJobBatchDelay: 0,
  },
};

/** Only warnings and errors: the default logger writes a line a job. */
function quiet() {
  const { Logger } = require("graphile-worker");
  return new Logger(() => (level, message) => {
    if (level === "error" || level === "warning") console.error(message);
  });
}

class GraphileWorker {
  package = "graphile-worker";
  left = "select count(*) from graphile_worker._private_jobs";

  async create(options) {
    const { runMigrations } = require("graphile-worker");
    await runMigrations({ pgPool: pool(options), logger: quiet() });
  }

  async open(options) {
    const { makeWorkerUtils } = require("graphile-worker");
    this.utils = await makeWorkerUtils({ pgPool: pool(options), logger: quiet() });
  }

  async enqueue(task, n) {
    await this.utils.addJob(task, { n });
  }

  prepared(count) {
    return Array.from({ length: count }, (_, n) => ({ identifier: "nothing", payload: { n } }));
  }

  async enqueueAll(prepared) {
    await this.utils.addJobs(prepared);
  }

  async close() {
    await this.utils?.release();
  }
}

function pool(options) {
  const { Pool } = require("pg");
  const made = new Pool({ ...options, max: 25 });
  const complain = (error) => console.error(error);
  made.on("error", complain);
  made.on("connect", (client) => client.on("error", complain));
  return made;
}

async function work() {
  const { run } = require("graphile-worker");
  const runner = await run({
    preset: PRESET,
    pgPool: pool(connection(process.env.BENCH_STORE)),
    logger: quiet(),
    taskList: { nothing: async (payload) => nothing(payload), report: async (payload) => report(payload) },
  });
  await runner.promise;
}

onOwnNode(() => (process.argv[2] === "work" ? work() : serve(new GraphileWorker(), __filename)));
