import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { parseSafetensors } from "@moi/moi/model";
import { encodeSafetensors, QWEN3, randomNumbers, safetensorsOf } from "../golden/golden.ts";

const parse = (file: Uint8Array) => parseSafetensors(file, "model.safetensors");

/** Two tensors of 24 and 8 bytes. */
const A = `"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`;
const B = `"b":{"dtype":"F16","shape":[4],"data_offsets":[24,32]}`;
const GOOD = safetensorsOf(`{${A},${B}}`, 32);

/** A must-refuse: a SyntaxError that names the file, soon. */
function refuses(file: Uint8Array, message = "Cannot read model.safetensors as ") {
  const start = performance.now();
  assertThrows(() => parse(file), SyntaxError, message);
  assertLess(performance.now() - start, 1000);
}

Deno.test("parseSafetensors() gives type, shape and place of every tensor", () => {
  const start = GOOD.length - 32;
  assertEquals(
    [...parse(GOOD)],
    [
      ["a", {
        type: "float32",
        dims: [2, 3],
        location: "model.safetensors",
        offset: start,
        length: 24,
      }],
      ["b", {
        type: "float16",
        dims: [4],
        location: "model.safetensors",
        offset: start + 24,
        length: 8,
      }],
    ],
  );
});

Deno.test("parseSafetensors() reads every type in use", () => {
  const types = [
    ["F64", "float64", 8],
    ["F32", "float32", 4],
    ["F16", "float16", 2],
    ["BF16", "bfloat16", 2],
    ["I64", "int64", 8],
    ["I32", "int32", 4],
    ["I8", "int8", 1],
    ["U8", "uint8", 1],
  ] as const;
  for (const [dtype, type, bytes] of types) {
    const header = `{"x":{"dtype":"${dtype}","shape":[3],"data_offsets":[0,${3 * bytes}]}}`;
    assertEquals(parse(safetensorsOf(header, 3 * bytes)).get("x")!.type, type);
  }
});

Deno.test("parseSafetensors() leaves out the metadata and allows spaces after the header", () => {
  const file = safetensorsOf(`{"__metadata__":{"format":"pt"},${A},${B}}      `, 32);
  assertEquals([...parse(file).keys()], ["a", "b"]);
});

Deno.test("parseSafetensors() takes tensors in any order, scalars and empty ones", () => {
  const none = `"none":{"dtype":"F32","shape":[0,5],"data_offsets":[24,24]}`;
  const scalar = `"s":{"dtype":"U8","shape":[],"data_offsets":[32,33]}`;
  const table = parse(safetensorsOf(`{${scalar},${B},${none},${A}}`, 33));
  assertEquals([...table.keys()], ["s", "b", "none", "a"]);
  assertEquals([table.get("none")!.length, table.get("s")!.dims], [0, []]);
  assertEquals(parse(safetensorsOf("{}", 0)).size, 0);
  assertEquals(parse(safetensorsOf('{"__metadata__":{}}', 0)).size, 0);
});

Deno.test("parseSafetensors() takes names of any kind", () => {
  const names = ["__proto__", "constructor", "", "größe", "a\u0000b", "x".repeat(1000)];
  const data = new Uint8Array(1);
  for (const name of names) {
    const entry = JSON.stringify({ dtype: "U8", shape: [1], data_offsets: [0, 1] });
    const table = parse(safetensorsOf(`{${JSON.stringify(name)}:${entry}}`, data.length));
    assertEquals([...table.keys()], [name]);
  }
});

Deno.test("parseSafetensors() reads a part of a larger buffer", () => {
  const buffer = new Uint8Array(GOOD.length + 20);
  buffer.set(GOOD, 13);
  assertEquals([...parse(buffer.subarray(13, 13 + GOOD.length))], [...parse(GOOD)]);
});

Deno.test("parseSafetensors() reads what a plain writer writes", async () => {
  const file = encodeSafetensors({
    x: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) },
    y: { dtype: "I64", shape: [1], data: BigInt64Array.of(3n) },
  });
  const { offset } = parse(file).get("y")!;
  assertEquals(new DataView(file.buffer).getBigInt64(offset, true), 3n);
  const golden = parse(await Deno.readFile(new URL("model.safetensors", QWEN3)));
  assertEquals(golden.get("model.embed_tokens.weight")!.dims, [384, 96]);
});

Deno.test("parseSafetensors() refuses a file cut off anywhere", () => {
  for (let length = 0; length < GOOD.length; length++) refuses(GOOD.subarray(0, length));
});

Deno.test("parseSafetensors() refuses bytes after the last tensor", () => {
  for (const more of [1, 8, 4096]) {
    const file = new Uint8Array(GOOD.length + more);
    file.set(GOOD);
    refuses(file, "no tensor holds its bytes from");
  }
});

Deno.test("parseSafetensors() refuses header lengths that do not fit", () => {
  const real = GOOD.length - 40;
  const lengths = [
    0n,
    1n,
    BigInt(real - 1),
    BigInt(real + 1),
    BigInt(GOOD.length),
    100_000_001n,
    2n ** 31n,
    2n ** 32n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 8n,
    2n ** 64n - 1n,
  ];
  for (const length of lengths) {
    const file = GOOD.slice();
    new DataView(file.buffer).setBigUint64(0, length, true);
    refuses(file);
  }
});

/** A header of one tensor with changed fields. */
const one = (fields: Record<string, unknown>) =>
  JSON.stringify({ x: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24], ...fields } });

Deno.test("parseSafetensors() refuses offsets that are no byte range", () => {
  const offsets = [
    [-24, 0],
    [0, -24],
    [24, 0],
    [0, 24.5],
    [0.5, 24.5],
    [0, "24"],
    ["0", "24"],
    [0],
    [],
    [0, 12, 24],
    { 0: 0, 1: 24 },
    null,
    "0,24",
    24,
    [null, null],
    [[0], [24]],
    [2 ** 53, 2 ** 53 + 24],
    [-(2 ** 53), 24],
    [1e300, 1e300],
  ];
  for (const value of offsets) refuses(safetensorsOf(one({ data_offsets: value }), 24));
  for (const number of ["1e999", "-1e999", "-0.1", "NaN", "0x18", "24n"]) {
    const header = one({}).replace("[0,24]", `[0,${number}]`);
    refuses(safetensorsOf(header, 24));
  }
});

Deno.test("parseSafetensors() refuses ranges that leave the file", () => {
  for (const [begin, end, size] of [[0, 24, 23], [1, 25, 24], [1000, 1024, 24], [24, 48, 24]]) {
    refuses(safetensorsOf(one({ data_offsets: [begin, end] }), size!));
  }
});

Deno.test("parseSafetensors() refuses ranges that do not have the size of the shape", () => {
  for (const end of [0, 20, 23, 25, 28, 48]) {
    refuses(safetensorsOf(one({ data_offsets: [0, end] }), end), "must hold 24 bytes");
  }
  for (const dtype of ["F16", "I64", "U8"]) refuses(safetensorsOf(one({ dtype }), 24));
});

Deno.test("parseSafetensors() refuses shapes that are no sizes", () => {
  const shapes = [
    [-2, -3],
    [-6],
    [2.5, 2.4],
    ["6"],
    [[6]],
    [null],
    6,
    "2,3",
    null,
    {},
    { length: 2, 0: 2, 1: 3 },
    [2, 3, 1, 1, 1, 1, 1, 1, 1],
    [2 ** 53],
    [2 ** 32, 2 ** 32],
    [2 ** 31, 2 ** 31, 4],
    [1e308, 1e308, 0],
    [6, 1e400],
    Array(1e5).fill(1),
  ];
  for (const shape of shapes) refuses(safetensorsOf(one({ shape }), 24));
});

Deno.test("parseSafetensors() places tensors of types that nothing reads, and names the type", () => {
  const types = [
    ...[["C64", 8], ["U64", 8], ["U32", 4], ["U16", 2], ["I16", 2], ["BOOL", 1]] as const,
    ...["F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"].map((t) => [t, 1] as const),
    ...[["F6_E2M3", 0.75], ["F6_E3M2", 0.75], ["F4", 0.5], ["F3_LATER", 0.375]] as const,
  ];
  for (const [dtype, bytes] of types) {
    const length = 8 * bytes,
      header = (length: number) =>
        `{"x":{"dtype":"${dtype}","shape":[2,4],"data_offsets":[0,${length}]}}`;
    const { unread, dims, length: found } = parse(safetensorsOf(header(length), length)).get("x")!;
    assertEquals([unread, dims, found], [dtype, [2, 4], length]);
    if (dtype !== "F3_LATER") refuses(safetensorsOf(header(length + 1), length + 1), "must hold");
    refuses(safetensorsOf(header(length), length - 1), "must end within the file");
  }
});

Deno.test("parseSafetensors() says what a file is that is none", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 988097824\n";
  const files: [Uint8Array, string][] = [
    [
      bytes(pointer),
      "a Git LFS pointer to 988097824 bytes and not the file itself: run 'git lfs pull'",
    ],
    [bytes(pointer.replace(/\n/g, "\r\n")), "Git LFS pointer"],
    [bytes("<!DOCTYPE html>\n<html><body>404"), "a page of HTML or XML"],
    [bytes("\n  <html lang=en>"), "a page of HTML or XML"],
    [
      bytes(`<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`),
      "a page of HTML or XML",
    ],
    [Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0, 0, 0), "a zip archive"],
    [new Uint8Array(0), "empty: download the file again"],
    [GOOD.subarray(0, -1), "is the file cut off?"],
  ];
  for (const [file, message] of files) refuses(file, message);
});

Deno.test("parseSafetensors() refuses types that it does not know", () => {
  const types = ["f32", "", null, 1, ["F32"], "__proto__", "toString", "F 32", "F".repeat(99)];
  for (const dtype of types) refuses(safetensorsOf(one({ dtype }), 24), "unsupported dtype");
});

Deno.test("parseSafetensors() refuses entries that are no objects", () => {
  for (const entry of [null, 1, "F32", [], [1, 2], true]) {
    refuses(safetensorsOf(JSON.stringify({ x: entry }), 0));
  }
  for (const name of ["dtype", "shape", "data_offsets"]) {
    refuses(safetensorsOf(one({ [name]: undefined }), 24));
  }
});

Deno.test("parseSafetensors() refuses tensors that overlap", () => {
  const b = (begin: number) =>
    `"b":{"dtype":"F16","shape":[4],"data_offsets":[${begin},${begin + 8}]}`;
  for (const begin of [0, 8, 16, 23]) {
    const size = Math.max(24, begin + 8);
    refuses(safetensorsOf(`{${A},${b(begin)}}`, size), "overlap");
    refuses(safetensorsOf(`{${b(begin)},${A}}`, size), "overlap");
  }
  refuses(safetensorsOf(`{${A},${A.replace('"a"', '"c"')}}`, 24), "overlap");
  // an empty tensor between two that overlap does not hide it
  const empty = `"e":{"dtype":"F32","shape":[0],"data_offsets":[16,16]}`;
  refuses(safetensorsOf(`{${A},${empty},${b(16)}}`, 24), "overlap");
});

Deno.test("parseSafetensors() refuses bytes that belong to no tensor", () => {
  const b = (begin: number) =>
    `"b":{"dtype":"F16","shape":[4],"data_offsets":[${begin},${begin + 8}]}`;
  refuses(safetensorsOf(`{${A},${b(25)}}`, 33), "no tensor holds its bytes");
  refuses(safetensorsOf(`{${b(8)}}`, 16), "no tensor holds its bytes");
  refuses(safetensorsOf("{}", 4), "no tensor holds its bytes");
});

Deno.test("parseSafetensors() refuses a tensor named twice with different places", () => {
  refuses(safetensorsOf(`{${A},${B.replace('"b"', '"a"')}}`, 32));
  refuses(safetensorsOf(`{${A.replace("[0,24]", "[8,32]")},${A}}`, 32));
});

Deno.test("parseSafetensors() refuses headers that are no JSON object", () => {
  const headers = [
    "",
    " ",
    "null",
    "[]",
    "1",
    '"x"',
    "true",
    "{",
    "}",
    `{${A}`,
    `{${A},}`,
    `{${A}}}`,
    `{${A}} {}`,
    `{a:1}`,
    `\u0000{${A}}`,
    `/**/{${A}}`,
    `[${one({})}]`,
  ];
  for (const header of headers) refuses(safetensorsOf(header, 32));
});

Deno.test("parseSafetensors() refuses headers nested deep, soon", () => {
  for (const depth of [100, 10_000, 200_000]) {
    refuses(safetensorsOf("[".repeat(depth), 0));
    refuses(safetensorsOf('{"a":'.repeat(depth), 0));
    refuses(safetensorsOf("[".repeat(depth) + "]".repeat(depth), 0));
    refuses(safetensorsOf(`{"x":${"[".repeat(depth)}${"]".repeat(depth)}}`, 0));
    refuses(
      safetensorsOf(
        one({ shape: 0 }).replace(":0", `:${"[".repeat(depth)}${"]".repeat(depth)}`),
        24,
      ),
    );
  }
});

Deno.test("parseSafetensors() refuses headers that are not UTF-8", () => {
  const text = new TextEncoder().encode(`{${A},${B}}`);
  for (const byte of [0xff, 0x80, 0xc0]) {
    const header = text.slice();
    header[2] = byte; // in the name
    refuses(safetensorsOf(header, 32));
  }
  refuses(safetensorsOf(Uint8Array.from([0xff, 0xfe, ...text]), 32));
});

Deno.test("parseSafetensors() takes many tensors in reasonable time", () => {
  const count = 20_000;
  const entries = Array.from(
    { length: count },
    (_, i) => `"t${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
  );
  const start = performance.now();
  assertEquals(parse(safetensorsOf(`{${entries.join(",")}}`, count)).size, count);
  assertLess(performance.now() - start, 2000);
});

Deno.test("parseSafetensors() of a randomly altered file refuses it or stays within it", () => {
  const random = randomNumbers(3);
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    const file = GOOD.slice();
    for (let change = 0; change <= i % 4; change++) {
      file[Math.floor(random() * (GOOD.length - 32))] = Math.floor(random() * 256);
    }
    try {
      for (const { offset, length } of parse(file).values()) {
        assert(offset >= 8 && length >= 0 && offset + length <= file.length);
      }
    } catch (error) {
      assert(error instanceof SyntaxError, String(error));
      refused++;
    }
  }
  assertGreater(refused, 2000);
});
