/** Rows from files of every format, hostile ones included, and from a hub on this machine. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { readRows, type Row } from "../../lib/tasks/mod.ts";
import { startHub } from "../model/_hub.ts";
import { temporaryFolder } from "../_temporary.ts";

/** nums, target and note of two rows, as pyarrow writes them. */
const PARQUET = {
  snappy:
    "UEFSMRUEFXAVUEwVDhUAEgAAOAQEAAkBAAwJBwQAHA0IAB4NCAABDQg8AgAAAAAAAAADAAAAAAAAABUAFSIVJiwVDhUQFQYVBhwAAAARQAIAAAADbgIAAAAOAwMDiMYaFQQVIBUkTBUEFQASAAAQPEIAAAAAAAAABgAAAAAAAAAVABUSFRYsFQQVEBUGFQYcAAAACSACAAAABAEBAwIVBBUKFQ5MFQIVABIAAAUQAQAAAGEVABUSFRYsFQQVEBUGFQYcAAAACSACAAAAAwEBAgAVBBlsNQAYBnNjaGVtYRUGADUCGARudW1zFQIVBkw8AAAANQQYBGxpc3QVAgAVBCUCGAdlbGVtZW50ABUEJQIYBnRhcmdldAAVDCUCGARub3RlJQBMHAAAABYEGRwZPCYAHBUEGTUABhAZOARudW1zBGxpc3QHZWxlbWVudBUCFg4W1AEWuAEmdCYIKSwVBBUAFQIAFQAVEBUCADwpJgQKGUYAAAAOAAAAJgAcFQQZNQAGEBkYBnRhcmdldBUCFgQWdBZ8JoACJsABKSwVBBUAFQIAFQAVEBUCADwpBhkmAAQAAAAmABwVDBk1AAYQGRgEbm90ZRUCFgQWXhZmJuYCJrwCKSwVBBUAFQIAFQAVEBUCADwWAhkGGSYCAgAAABamAxYEJggWmgMAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRk8HAAAHAAAHAAAAFgBAABQQVIx",
  zstd:
    "UEFSMRUEFXAVSEwVDhUAEgAAKLUv/SA43QAAoAQADAAcAB4AAQACAAMAAAAAAAAABlQCAAMBFQAVIhU0LBUOFRAVBhUGHAAAACi1L/0gEYkAAAIAAAADbgIAAAAOAwMDiMYaFQQVIBUyTBUEFQASAAAotS/9IBCBAABCAAAAAAAAAAYAAAAAAAAAFQAVEhUkLBUEFRAVBhUGHAAAACi1L/0gCUkAAAIAAAAEAQEDAhUEFQoVHEwVAhUAEgAAKLUv/SAFKQAAAQAAAGEVABUSFSQsFQQVEBUGFQYcAAAAKLUv/SAJSQAAAgAAAAMBAQIAFQQZbDUAGAZzY2hlbWEVBgA1AhgEbnVtcxUCFQZMPAAAADUEGARsaXN0FQIAFQQlAhgHZWxlbWVudAAVBCUCGAZ0YXJnZXQAFQwlAhgEbm90ZSUATBwAAAAWBBkcGTwmABwVBBk1AAYQGTgEbnVtcwRsaXN0B2VsZW1lbnQVDBYOFtQBFr4BJmwmCCksFQQVABUCABUAFRAVAgA8KSYEChlGAAAADgAAACYAHBUEGTUABhAZGAZ0YXJnZXQVDBYEFnQWmAEmlAImxgEpLBUEFQAVAgAVABUQFQIAPCkGGSYABAAAACYAHBUMGTUABhAZGARub3RlFQwWBBZeFoIBJpYDJt4CKSwVBBUAFQIAFQAVEBUCADwWAhkGGSYCAgAAABamAxYEJggW2AMAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRk8HAAAHAAAHAAAAFoBAABQQVIx",
};

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

async function read(name: string, content: string | Uint8Array, options = {}): Promise<Row[]> {
  await using folder = await temporaryFolder({ [name]: content });
  return await readRows(`${folder.path}/${name}`, options);
}

Deno.test("readRows() reads JSON lines, lists, objects of one list, and CSV", async () => {
  const rows = [{ a: 1, b: "x" }, { a: 2, b: "y" }];
  assertEquals(await read("x.jsonl", '{"a":1,"b":"x"}\r\n\n{"a":2,"b":"y"}'), rows);
  assertEquals(await read("x.ndjson", '\ufeff{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n'), rows);
  assertEquals(await read("x.json", JSON.stringify(rows)), rows);
  assertEquals(await read("x.json", JSON.stringify({ version: 1, data: rows })), rows);
  const csv = 'a,"b"\r\n1,"x, ""quoted""\nline"\r\n2,\r\n\r\n';
  assertEquals(await read("x.csv", csv), [{ a: "1", b: 'x, "quoted"\nline' }, { a: "2", b: "" }]);
});

Deno.test("readRows() reads gzip and Parquet", async () => {
  const stream = new Blob(['{"a":1}\n']).stream().pipeThrough(new CompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  assertEquals(await read("x.jsonl.gz", packed), [{ a: 1 }]);
  for (const base64 of Object.values(PARQUET)) {
    assertEquals(await read("x.parquet", bytesOf(base64)), [
      { nums: [4, 12, 28, 30], target: 66, note: "a" },
      { nums: [1, 2, 3], target: 6, note: null },
    ]);
  }
});

Deno.test("readRows() names the place of a fault", async () => {
  const bad: readonly [string, string, string][] = [
    ["x.jsonl", '{"a":1}\n{"a":', "line 2 of x.jsonl is not valid JSON"],
    ["x.jsonl", "[1]\n", "line 1 of x.jsonl is not an object"],
    ["x.json", "{", "the text of x.json is not valid JSON"],
    ["x.json", '{"a":[],"b":[]}', "is not one list of rows"],
    ["x.json", "[1]", "item 0 of x.json is not an object"],
    ["x.csv", "", "names no columns"],
    ["x.csv", "a,a\n1,2\n", "names a column twice"],
    ["x.csv", "a,b\n1,2\n3\n", "line 3 of x.csv has 1 fields, not 2"],
    ["x.csv", 'a\n"1', "has a quote that does not end"],
    ["x.csv", 'a\n"1"2\n', "has text after a quote"],
    ["x.parquet", "PAR1 no", "is not usable Parquet"],
    ["x.txt", "a", "must end in .parquet"],
  ];
  for (const [name, content, message] of bad) {
    await assertRejects(() => read(name, content), SyntaxError, message);
  }
  await assertRejects(() => readRows("/no/such.jsonl"), Deno.errors.NotFound, "'source' must be");
  await assertRejects(() => readRows(1 as never), TypeError, "'source'");
  await assertRejects(() => read("x.json", "[]", { spilt: "a" }), TypeError, "'spilt'");
});

Deno.test("readRows() leaves prototypes alone", async () => {
  const [row] = await read("x.jsonl", '{"__proto__":{"polluted":1},"constructor":2}');
  assert(Object.hasOwn(row!, "__proto__"));
  const [other] = await read("x.csv", "__proto__,b\n1,2\n");
  assertEquals(Object.keys(other!), ["__proto__", "b"]);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("damaged Parquet files are refused, not crashed on", async () => {
  const good = bytesOf(PARQUET.snappy);
  for (let at = 0; at < good.length; at += 7) {
    const bad = good.slice();
    bad[at]! ^= 0xff;
    await read("x.parquet", bad).catch((error) =>
      assert(error instanceof SyntaxError, error.stack)
    );
  }
  for (const end of [0, 3, 100, good.length - 1]) {
    await assertRejects(() => read("x.parquet", good.slice(0, end)), SyntaxError);
  }
});

Deno.test("readRows() finds the split of a data set on the hub, and then offline", async () => {
  await using cache = await temporaryFolder();
  const files = {
    "README.md": "#",
    "main/test-00000-of-00002.jsonl": '{"a":1}\n',
    "main/test-00001-of-00002.jsonl": '{"a":2}\n',
    "main/train-00000-of-00001.jsonl": '{"a":3}\n',
    "socratic/test-00000-of-00001.jsonl": '{"a":4}\n',
  };
  const options = { cacheDir: cache.path };
  await using hub = startHub({ files });
  const online = { ...options, endpoint: hub.endpoint };
  assertEquals(await readRows("org/set", { ...online, config: "main" }), [{ a: 1 }, { a: 2 }]);
  assert(
    hub.seen.every(({ path }) =>
      path.startsWith("/datasets/") || path.startsWith("/api/datasets/")
    ),
  );
  assertEquals(await readRows("org/set", { ...online, config: "main", split: "train" }), [{
    a: 3,
  }]);
  await assertRejects(
    () => readRows("org/set", online),
    RangeError,
    "'config' must name one of its folders",
  );
  const no = { ...online, config: "main", split: "dev" };
  await assertRejects(
    () => readRows("org/set", no),
    RangeError,
    "'split' must name some of its files",
  );
  const offline = { ...options, offline: true, config: "main" };
  assertEquals(await readRows("org/set", offline), [{ a: 1 }, { a: 2 }]);
  await assertRejects(() => readRows("org/other", offline), Deno.errors.NotFound, "offline");
});

Deno.test("readRows() reads an address", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) =>
      new URL(request.url).pathname === "/x.jsonl"
        ? new Response('{"a":1}\n')
        : new Response("", { status: 404 }),
  );
  try {
    const at = `http://127.0.0.1:${server.addr.port}`;
    assertEquals(await readRows(`${at}/x.jsonl`), [{ a: 1 }]);
    await assertRejects(
      () => readRows(new URL(`${at}/y.jsonl`)),
      Deno.errors.NotFound,
      "answered 404",
    );
    await assertRejects(() => readRows(`${at}/x.jsonl`, { offline: true }), RangeError, "offline");
  } finally {
    await server.shutdown();
  }
});
