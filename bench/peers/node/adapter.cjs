// The protocol and its measures for adapters on Node: the same as adapter/*.py, where the reasons stand.
"use strict";
const { spawn, execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const { setTimeout: sleep } = require("node:timers/promises");

const STARTED = 60, BEGUN = 10, WARM_ENQUEUES = 50, WARM_PICKUPS = 20, LOOK = 5;
const seconds = () => Number(process.hrtime.bigint()) / 1e9;

/** Runs `main` on the Node that stands among the packages, where there is one: newer than the system's. */
function onOwnNode(main) {
  const own = path.join(process.env.BENCH_NODE_MODULES ?? "", ".bin", "node");
  if (process.env.BENCH_OWN_NODE || !fs.existsSync(own)) return main();
  const env = { ...process.env, BENCH_OWN_NODE: "1", NODE_PATH: process.env.BENCH_NODE_MODULES };
  const child = spawn(fs.realpathSync(own), process.argv.slice(1), { stdio: "inherit", env });
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}

let pipe;
/** Tells the adapter that the job `number` began at this moment. */
function tell(number) {
  const began = process.hrtime.bigint();
  pipe ??= fs.openSync(process.env.BENCH_PIPE, "w");
  fs.writeSync(pipe, `${number} ${began}\n`);
}

let first = true;
const last = Number(process.env.BENCH_LAST ?? -1);
/** The task that does nothing; only the first of a process, and the last of all, says that it began. */
function nothing({ n }) {
  if (!first && n !== last) return;
  first = false;
  tell(n);
}

/** The task that says that it began. */
const report = ({ n }) => tell(n);

/** The adapter's end of the pipe. */
class Listener {
  constructor() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "pgqueue-bench-"));
    process.env.BENCH_PIPE = path.join(this.folder, "told");
    execFileSync("mkfifo", [process.env.BENCH_PIPE]);
    this.pipe = fs.openSync(process.env.BENCH_PIPE, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    this.lines = [];
    this.stream = new (require("node:net").Socket)({ fd: this.pipe, readable: true, writable: false });
    readline.createInterface({ input: this.stream }).on("line", (line) => {
      this.lines.push(line);
      this.wake?.();
    });
  }

  async next(limit) {
    const until = seconds() + limit;
    while (!this.lines.length) {
      const left = until - seconds();
      if (left <= 0) throw new Error(`no job began within ${limit} s: look at what the worker wrote to standard error`);
      const waiting = new AbortController();
      const woken = new Promise((resolve) => (this.wake = resolve));
      await Promise.race([woken, sleep(left * 1000, undefined, { signal: waiting.signal }).catch(() => {})]);
      waiting.abort();
    }
    const [number, began] = this.lines.shift().split(" ");
    return [Number(number), BigInt(began)];
  }

  close() {
    this.stream.destroy();
    fs.rmSync(this.folder, { recursive: true });
  }
}

async function running(program, workers, body) {
  const children = Array.from({ length: workers }, () => {
    const child = spawn(process.execPath, [program, "work"], { stdio: ["ignore", 2, 2] });
    return { child, ended: new Promise((resolve) => child.on("exit", resolve)) };
  });
  try {
    return await body();
  } finally {
    for (const { child } of children) child.kill("SIGTERM");
    for (const { child, ended } of children) {
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    }
  }
}

async function query(dsn, sql) {
  const { Client } = require("pg");
  const client = new Client(connection(dsn));
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A libpq connection string as the options of node-postgres, which reads only URLs. */
function connection(dsn) {
  if (/^postgres(ql)?:/.test(dsn)) return { connectionString: dsn };
  const named = Object.fromEntries(dsn.split(" ").map((pair) => pair.split("=")));
  const { dbname, host, user, password } = named;
  return { host, port: Number(named.port ?? 5432), user, password, database: dbname };
}

const measures = {
  async enqueue_one(peer, { seconds: limit, heard = false }, program) {
    if (!heard) return await oneByOne(peer, limit);
    const listener = new Listener();
    return await running(program, 1, async () => {
      await peer.enqueue("report", 0);
      await listener.next(STARTED);
      return await oneByOne(peer, limit);
    }).finally(() => listener.close());
  },

  async enqueue_bulk(peer, { count }) {
    const prepared = peer.prepared(count);
    const began = seconds();
    await peer.enqueueAll(prepared);
    return { count, seconds: seconds() - began };
  },

  async drain(peer, { count, seconds: limit, workers = 1, filled = false }, program) {
    if (!filled) await peer.enqueueAll(peer.prepared(count));
    await query(process.env.BENCH_STORE, "vacuum analyze");
    await query(process.env.BENCH_STORE, "checkpoint");
    process.env.BENCH_LAST = String(count - 1);
    const listener = new Listener();
    return await running(program, workers, async () => {
      const began = Number((await listener.next(STARTED))[1]) / 1e9;
      await awaitLast(listener, count - 1, began + limit);
      for (;;) {
        const elapsed = seconds() - began;
        const left = Number((await query(process.env.BENCH_STORE, peer.left))[0].count);
        if (left === 0 || elapsed >= limit) return { count: count - left, seconds: elapsed };
        await sleep(LOOK);
      }
    }).finally(() => listener.close());
  },

  async pickup(peer, { gaps, seconds: limit }, program) {
    const listener = new Listener();
    return await running(program, 1, async () => {
      for (let n = -WARM_PICKUPS; n < 0; n++) {
        await peer.enqueue("report", n);
        await listener.next(STARTED);
      }
      await sleep(1000);
      const until = seconds() + limit;
      const latencies = [];
      for (const [n, gap] of gaps.entries()) {
        await sleep(gap * 1000);
        if (seconds() > until) break;
        await peer.enqueue("report", n);
        const committed = process.hrtime.bigint();
        const [told, began] = await listener.next(BEGUN);
        if (told !== n) throw new Error(`job ${told} began, not ${n}: a job ran twice or late`);
        latencies.push(Math.max(0, Number(began - committed) / 1e6));
      }
      return { latencies };
    }).finally(() => listener.close());
  },
};

async function oneByOne(peer, limit) {
  for (let n = 0; n < WARM_ENQUEUES; n++) await peer.enqueue("nothing", n);
  let count = 0;
  const began = seconds();
  for (; seconds() < began + limit; count++) await peer.enqueue("nothing", count);
  return { count, seconds: seconds() - began };
}

async function awaitLast(listener, last, until) {
  try {
    while ((await listener.next(until - seconds()))[0] !== last);
  } catch {
    // Its time is over: what is left is counted once.
  }
}

/** The value that the runner chose for a setting, else the one given here. */
function setting(name, otherwise) {
  return JSON.parse(process.env.BENCH_SETTINGS ?? "{}")[name] ?? otherwise;
}

/** Answers requests from standard input until it ends. */
async function serve(peer, program) {
  const answer = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const version = () => {
    const file = path.join(process.env.BENCH_NODE_MODULES, peer.package, "package.json");
    return { version: JSON.parse(fs.readFileSync(file)).version, runtime: `Node ${process.versions.node}` };
  };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let found;
    try {
      if (request.do === "setup" || request.do === "open") {
        process.env.BENCH_STORE = request.dsn;
        if (request.do === "setup") await peer.create(connection(request.dsn));
        await peer.open(connection(request.dsn));
        found = version();
      } else {
        found = await (measures[request.do] ?? (() => ({ error: `no such request: ${line}` })))(peer, request, program);
      }
    } catch (error) {
      console.error(error);
      found = { error: `${error.name}: ${error.message}` };
    }
    answer(JSON.stringify(found) + "\n");
  }
  await peer.close();
  process.exit(0);
}

module.exports = { connection, nothing, onOwnNode, query, report, serve, setting };
