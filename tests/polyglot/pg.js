// As much of the package `pg` as the guide's worker needs, without a registry: queries with parameters, in text.
const net = require("net");

const TYPES = { 16: (text) => text === "t", 21: Number, 23: Number, 114: JSON.parse, 3802: JSON.parse, 701: Number };

class Client {
  async connect() {
    const { PGHOST, PGPORT, PGUSER, PGDATABASE } = process.env;
    this.socket = net.connect(Number(PGPORT), PGHOST);
    this.heard = Buffer.alloc(0);
    this.waiting = [];
    this.socket.on("data", (data) => { this.heard = Buffer.concat([this.heard, data]); this.read(); });
    this.socket.on("error", (error) => { throw error; });
    const said = Buffer.from(["user", PGUSER, "database", PGDATABASE, "client_encoding", "UTF8", "", ""].join("\0"));
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + said.length, 0);
    head.writeInt32BE(196608, 4);
    this.socket.write(Buffer.concat([head, said]));
    await this.ready();
  }

  async query(text, values = []) {
    const given = values.map((value) => {
      if (value === null || value === undefined) return int32(-1);
      const written = Buffer.from(Array.isArray(value) ? array(value) : String(value));
      return Buffer.concat([int32(written.length), written]);
    });
    const bind = Buffer.concat([Buffer.from("\0\0"), int16(0), int16(given.length), ...given, int16(0)]);
    this.socket.write(Buffer.concat([
      message("P", Buffer.concat([Buffer.from(`\0${text}\0`), int16(0)])), message("B", bind),
      message("D", Buffer.from("P\0")), message("E", Buffer.concat([Buffer.from("\0"), int32(0)])), message("S", Buffer.alloc(0)),
    ]));
    return this.ready();
  }

  async end() { this.socket.end(message("X", Buffer.alloc(0))); }

  ready() {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject, rows: [], fields: [], error: null }));
  }

  read() {
    while (this.heard.length >= 5 && this.heard.length > this.heard.readInt32BE(1)) {
      const size = this.heard.readInt32BE(1) + 1;
      this.take(String.fromCharCode(this.heard[0]), this.heard.subarray(5, size));
      this.heard = this.heard.subarray(size);
    }
  }

  take(kind, body) {
    const now = this.waiting[0];
    if (kind === "R" && body.readInt32BE(0) !== 0) throw new Error("only servers that trust are served");
    if (kind === "T") now.fields = fields(body);
    if (kind === "D") now.rows.push(row(body, now.fields));
    if (kind === "E") now.error = new Error(body.toString().split("\0").join(" "));
    if (kind === "Z") {
      this.waiting.shift();
      now.error ? now.reject(now.error) : now.resolve({ rows: now.rows });
    }
  }
}

function fields(body) {
  const found = [];
  for (let at = 2; found.length < body.readInt16BE(0); at += 18) {
    const end = body.indexOf(0, at);
    found.push({ name: body.toString("utf8", at, end), type: body.readInt32BE(end + 7) });
    at = end + 1;
  }
  return found;
}

function row(body, names) {
  const found = {};
  let at = 2;
  for (const { name, type } of names) {
    const size = body.readInt32BE(at);
    at += 4;
    if (size < 0) { found[name] = null; continue; }
    const text = body.toString("utf8", at, (at += size));
    found[name] = TYPES[type] ? TYPES[type](text) : text;
  }
  return found;
}

function array(values) {
  const written = values.map((each) => each === null ? "NULL" : `"${String(each).replace(/[\\"]/g, "\\$&")}"`);
  return `{${written.join(",")}}`;
}

function message(kind, body) { return Buffer.concat([Buffer.from(kind), int32(4 + body.length), body]); }
function int16(value) { const made = Buffer.alloc(2); made.writeInt16BE(value); return made; }
function int32(value) { const made = Buffer.alloc(4); made.writeInt32BE(value); return made; }

module.exports = { Client };
