/** Rows as files really are: digits, byte order marks, separators, packing, splits and cards. */

import zlib from "node:zlib";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { readRows, type Row, type SourceOptions } from "../../lib/tasks/mod.ts";
import { configsOf, matchesGlob } from "../../lib/tasks/source/card.ts";
import { COMMIT, startHub } from "../model/_hub.ts";
import { zipOf } from "../_zip.ts";
import { type TemporaryFolder, temporaryFolder } from "../_temporary.ts";

const bytesOf = (content: string | Uint8Array) =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

/** Calls with a folder of some files. */
async function inFolder<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  await using folder = await temporaryFolder(files);
  return await use(folder.path);
}

const read = (
  name: string,
  content: string | Uint8Array,
  options: SourceOptions = {},
): Promise<Row[]> =>
  inFolder({ [name]: content }, (folder) => readRows(`${folder}/${name}`, options));

Deno.test("readRows() loses no digit of a number in JSON", async () => {
  const numbers = [
    "9007199254740993",
    "-9007199254740993",
    "1e22",
    "0.1234567890123456789",
    "7",
    "0.5",
  ];
  const wanted = [...numbers.slice(0, 4), 7, 0.5];
  const objects = numbers.map((number) => `{"answer":${number},"list":[${number}]}`);
  const rows = wanted.map((answer) => ({ answer, list: [answer] }));
  assertEquals(await read("x.jsonl", objects.join("\n")), rows);
  assertEquals(await read("x.json", `[${objects}]`), rows);
  assertEquals(await read("x.json", `{"data":[${objects}]}`), rows);
  assertEquals(await read("x.csv", "answer\n9007199254740993\n"), [{ answer: "9007199254740993" }]);
});

/** One of each type that loses something in a double, as pyarrow 26 writes them. */
const TYPES =
  "UEFSMRUEFSAVJEwVBBUAEgAAEDwBAAAAAAAgAAUAAAAAAAAAFQAVEhUWLBUGFRAVBhUGHAAAAAkgAgAAAAMDAQMCFQQVMBUsTBUGFQASAAAYAP8NATwAAAAAAAAAAAEAAAAAAAAAFQAVFBUYLBUGFRAVBhUGHAAAAAokAgAAAAYBAgMkABUEFQwVEEwVBBUAEgAABhQAAG7///kVABUSFRYsFQYVEBUGFQYcAAAACSACAAAAAwMBAwIVBBUwFTRMFQYVABIAABhcAbabS6Yw807/////+gofAAAAAAAAAAAAFQAVFBUYLBUGFRAVBhUGHAAAAAokAgAAAAYBAgMkABUEFWAVSkwVBhUAEgAAMEAAAAAAJ+QbMka+ybFuOYEV/zoBAAEgLAAAAAAAAAAAdzWUABUAFRQVGCwVBhUQFQYVBhwAAAAKJAIAAAAGAQIDJAAVBBU2FTJMFQYVABIAABskBWvHXi1jD///AA0BJAf///////////kVABUUFRgsFQYVEBUGFQYcAAAACiQCAAAABgECAyQAFQQVEBUUTBUEFQASAAAIHEZNAAD/////FQAVEhUWLBUGFRAVBhUGHAAAAAkgAgAAAAMDAQMCFQQVEBUUTBUCFQASAAAIHPz2YfKNAQAAFQAVEhUWLBUGFRAVBhUGHAAAAAkgAgAAAAYBAQYAFQQVMBUsTBUGFQASAAAYAAAFAQT4fwUHKADwf5qZmZmZmbk/FQAVFBUYLBUGFRAVBhUGHAAAAAokAgAAAAYBAgMkABUEFRoVHkwVAhUAEgAADTAAAAAAAAAAAAAAAAAKFQAVIBUkLBUGFRAVBhUGHAAAABA8AgAAAAYAAwAAAAMHAAECABUEFQQVCEwVAhUAEgAAAgQBShUAFRQVGCwVBhUQFQYVBhwAAAAKJAMAAAADEgABAgAVBBUMFRBMFQIVABIAAAYUAgAAAMOpFQAVIhUmLBUGFRAVBhUGHAAAABFAAgAAAAYABAAAAANEAAABAgAVBBUQFRRMFQIVABIAAAgcAQAAAAAAIAAVABUiFSYsFQYVEBUGFQYcAAAAEUACAAAABgAEAAAAA0wAAAECABUEFRYVGkwVAhUAEgAACygAAAAAAAAAAAAABRUAFSIVJiwVBhUQFQYVBhwAAAARQAIAAAAGAAQAAAADTAAAAQIAFQQVGhUeTBUEFQASAAANMAUAAABjYWbDqQAAAAAVABUSFRYsFQYVEBUGFQYcAAAACSACAAAAAwMBAwIVABUOFRIsFQYVABUGFQYcAAAABxgCAAAAAwMBFQQZ/Bk1ABgGc2NoZW1hFRwAFQQlAhgDYmlnABUEJQIYAXUlHEysE0ASAAAAFQ4VBhUCGAJkOSUKFQQVCixcFQQVCgAAABUOFRAVAhgDZDE4JQoVEBUkLFwVEBUkAAAAFQ4VIBUCGANkMzglChUSFUwsXBUSFUwAAAAVDhUSFQIYAmQwJQoVABUoLFwVABUoAAAAFQIlAhgDZGF5JQxMbAAAABUEJQIYAmF0JRJMjBIcHAAAAAAAFQolAhgBZgA1AhgEbGlzdBUCFQZMPAAAADUEGARsaXN0FQIAFQ4VGhUCGAdlbGVtZW50JQoVBBU8LFwVBBU8AAAANQIYAXMVBAAVDhUEFQIYAXglChUEFQgsXBUEFQgAAAA1AhgBeRUCFQZMPAAAADUEGARsaXN0FQIAFQwlAhgHZWxlbWVudCUATBwAAAA1AhgCbHMVAhUGTDwAAAA1BBgEbGlzdBUCADUCGAdlbGVtZW50FQQAFQQlAhgBbgAVDhUWFQIYAWQlChUCFTIsXBUCFTIAAAAVDCUCGAFiABUAJQIYAm9rABYGGRwZ/BAmABwVBBk1AAYQGRgDYmlnFQIWBhZ0FnwmSCYIKSwVBBUAFQIAFQAVEBUCADwpBhkmAgQAAAAmABwVBBk1AAYQGRgBdRUCFgYWhgEWhgEmzAEmhAEpLBUEFQAVAgAVABUQFQIAPCkGGSYABgAAACYAHBUOGTUABhAZGAJkORUCFgYWYBZoJrYCJooCKSwVBBUAFQIAFQAVEBUCADwpBhkmAgQAAAAmABwVDhk1AAYQGRgDZDE4FQIWBhaGARaOASbCAybyAiksFQQVABUCABUAFRAVAgA8KQYZJgAGAAAAJgAcFQ4ZNQAGEBkYA2QzOBUCFgYWtgEWpAEm5gQmgAQpLBUEFQAVAgAVABUQFQIAPCkGGSYABgAAACYAHBUOGTUABhAZGAJkMBUCFgYWjAEWjAEm8gUmpAUpLBUEFQAVAgAVABUQFQIAPCkGGSYABgAAACYAHBUCGTUABhAZGANkYXkVAhYGFmQWbCbgBiawBiksFQQVABUCABUAFRAVAgA8KQYZJgIEAAAAJgAcFQQZNQAGEBkYAmF0FQIWBhZkFmwmzAcmnAcpLBUEFQAVAgAVABUQFQIAPCkGGSYABgAAACYAHBUKGTUABhAZGAFmFQIWBhaGARaGASbQCCaICCksFQQVABUCABUAFRAVAgA8KQYZJgAGAAAAJgAcFQ4ZNQAGEBk4BGxpc3QEbGlzdAdlbGVtZW50FQIWBhZ8FoQBJsgJJo4JKSwVBBUAFQIAFQAVEBUCADwpJgYAGUYCAgACAAAAJgAcFQ4ZNQAGEBkoAXMBeBUCFgYWWhZiJrYKJpIKKSwVBBUAFQIAFQAVEBUCADwpBhk2AgICAAAAJgAcFQwZNQAGEBlIAXMBeQRsaXN0B2VsZW1lbnQVAhYGFnAWeCagCyb0CiksFQQVABUCABUAFRAVAgA8FgQZJgYAGVYCAgAAAgAAACYAHBUEGTUABhAZSAJscwRsaXN0B2VsZW1lbnQBbhUCFgYWdBZ8JpwMJuwLKSwVBBUAFQIAFQAVEBUCADwpJgYAGVYABAAAAgAAACYAHBUOGTUABhAZSAJscwRsaXN0B2VsZW1lbnQBZBUCFgYWehaCASaeDSboDCksFQQVABUCABUAFRAVAgA8KSYGABlWAAQAAAIAAAAmABwVDBk1AAYQGRgBYhUCFgYWbhZ2JqQOJuoNKSwVBBUAFQIAFQAVEBUCADwWChkGGSYCBAAAACYAHBUAGSUGABkYAm9rFQIWBhY0Fjgm4A5JHBUAFQAVAgA8KQYZJgIEAAAAFsYOFgYmCBaQDwAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGfwQHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAAMsFAABQQVIx";

Deno.test("readRows() loses no digit of a number in Parquet", async () => {
  const bytes = Uint8Array.from(atob(TYPES), (c) => c.charCodeAt(0));
  const at = "2024-02-29T01:02:03.004Z";
  assertEquals(await read("x.parquet", bytes), [
    {
      ...{
        big: "9007199254740993",
        u: "18446744073709551615",
        d9: 1.1,
        d18: "1234567890.12345678",
      },
      ...{
        d38: "12345678901234567890.123456789",
        d0: "99999999999999999999",
        day: "2024-02-29",
        at,
      },
      ...{ f: null, list: [0.1], s: { x: 3.3, y: ["é"] }, ls: [{ n: "9007199254740993", d: 0.5 }] },
      ...{ b: "café", ok: true },
    },
    {
      ...{ big: 5, u: 0, d9: -0.07, d18: -1, d38: -1e-9, d0: 7, day: "1969-12-31", at },
      ...{ f: null, list: [], s: null, ls: [], b: "", ok: false },
    },
    {
      ...{ big: null, u: 1, d9: null, d18: 0, d38: 2, d0: -7, day: null, at },
      ...{ f: 0.1, list: null, s: { x: null, y: null }, ls: [], b: null, ok: null },
    },
  ]);
});

Deno.test("readRows() reads NaN as missing, byte order marks, line ends and UTF-16", async () => {
  const rows = [{ a: 1, b: null }, { a: 2, b: "NaN" }];
  const lines = ['{"a":1,"b":NaN}', '{"a":2,"b":"NaN"}'];
  const utf16 = new Uint8Array(
    new Uint16Array([..."\ufeffa;b\n1;ü\n"].map((c) => c.charCodeAt(0))).buffer,
  );
  const cases: [string, string | Uint8Array, unknown][] = [
    ["x.jsonl", lines.join("\n"), rows],
    ["x.jsonl", `\ufeff${lines.join("\r\n")}\r\n`, rows],
    ["x.jsonl", `\n  \n${lines.join("\n\n")}`, rows],
    ["x.jsonl", lines.join("\r"), rows],
    ["x.jsonl", lines.map((line) => `\ufeff${line}\n`).join(""), rows], // cat a b
    ["x.jsonl", `[${lines}]`, rows], // a list under the name of lines
    ["x.json", `\ufeff[${lines}]`, rows],
    ["x.json", lines.join("\n"), rows], // lines under the name of one text
    ["x.json", `\n${lines.join("\r\n")}\r\n`, rows],
    ["x.json", '[{"a":-Infinity}]', [{ a: null }]],
    ["x.csv", "\ufeffa,b\r\n1,\r\n", [{ a: "1", b: "" }]],
    ["x.csv", utf16, [{ a: "1", b: "ü" }]],
  ];
  for (const [name, content, wanted] of cases) {
    assertEquals(await read(name, content) as unknown, wanted, String(content));
  }
  const latin1 = new Uint8Array([...bytesOf("a,b\n1,"), 0xfc]);
  await assertRejects(() => read("x.csv", latin1), SyntaxError, "the text of x.csv is not UTF-8");
  await assertRejects(
    () => read("x.json", `${lines[0]}\n{"a":`),
    SyntaxError,
    "line 2 of x.json is not valid",
  );
  await assertRejects(
    () => read("x.jsonl", `${lines[0]}\n\n{"a":`),
    SyntaxError,
    "line 3 of x.jsonl",
  );
});

Deno.test("readRows() takes the separator that the first line has", async () => {
  const rows = [{ question: "1,5; or\t2?", answer: "B" }];
  const quoted = (by: string) => `question${by}answer\n"1,5; or\t2?"${by}B\n`;
  for (const by of [",", ";", "\t"]) assertEquals(await read("x.csv", quoted(by)), rows);
  assertEquals(await read("x.tsv", quoted("\t")), rows);
  assertEquals(await read("x.csv", `sep=;\r\n${quoted(";")}`), rows);
  assertEquals(await read("x.csv", `sep=|\n${quoted("|")}`), rows);
  assertEquals(await read("x.tsv", "a\tb\n1,2\t3;4\n"), [{ a: "1,2", b: "3;4" }]);
  assertEquals(await read("x.csv", '"a;b",c\n1,2\n'), [{ "a;b": "1", c: "2" }]);
  assertEquals(await read("x.csv", '"a,b";c\n1;2\n'), [{ "a,b": "1", c: "2" }]);
  assertEquals(await read("x.csv", "a\n1;2\n"), [{ a: "1;2" }]);
  await assertRejects(
    () => read("x.csv", "a;b\n1\n"),
    SyntaxError,
    "line 2 of x.csv has 1 fields, not 2",
  );
  await assertRejects(
    () => read("x.csv", "sep=;\na;b\n1\n"),
    SyntaxError,
    "line 3 of x.csv has 1 fields",
  );
});

Deno.test("readRows() finds the list of rows in an object", async () => {
  const a = [{ n: 1 }], b = [{ n: 2 }];
  const cases: [object, SourceOptions, Row[]][] = [
    [{ data: a }, {}, a],
    [{ version: 1, rows: a, splits: ["x"] }, {}, a],
    [{ data: a, notes: b }, {}, a],
    [{ train: a, test: b }, {}, b],
    [{ train: a, test: b }, { split: "train" }, a],
    [{ train: a, dev: b }, { split: "dev" }, b],
    [{ anything: a, choices: ["A", "B"] }, {}, a],
    [
      { features: [{ name: "n" }], rows: [{ row_idx: 0, row: { n: 1 }, truncated_cells: [] }] },
      {},
      a,
    ],
    [{ data: [] }, {}, []],
  ];
  for (const [content, options, rows] of cases) {
    assertEquals(await read("x.json", JSON.stringify(content), options), rows);
  }
  const two = JSON.stringify({ train: a, dev: b });
  await assertRejects(
    () => read("x.json", two),
    SyntaxError,
    "'split' must name one of train, dev",
  );
  await assertRejects(
    () => read("x.json", two, { split: "test" }),
    SyntaxError,
    "one of train, dev",
  );
  await assertRejects(() => read("x.json", '{"a":"b"}'), SyntaxError, "is not one list of rows");
});

Deno.test("readRows() unpacks by the bytes, and says what is no data", async () => {
  const plain = bytesOf('{"a":1}\n'), rows = [{ a: 1 }];
  const gzip = zlib.gzipSync(plain), zstd = zlib.zstdCompressSync(plain);
  assertEquals(await read("x.jsonl.gz", gzip), rows);
  assertEquals(await read("x.jsonl.zst", zstd), rows);
  assertEquals(await read("x.jsonl.gz", plain), rows); // unpacked on its way
  assertEquals(await read("x.jsonl", gzip), rows);
  assertEquals(await read("x.csv.gz", zlib.gzipSync(bytesOf("a\n1\n"))), [{ a: "1" }]);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${
    "0".repeat(64)
  }\nsize 12\n`;
  const bad: [string, string | Uint8Array, string][] = [
    ["x.jsonl.gz", gzip.subarray(0, gzip.length - 5), "is not usable (unexpected end of file)"],
    ["x.jsonl.zst", zstd.subarray(0, zstd.length - 1), "is not usable (unexpected end of file)"],
    ["x.jsonl", zipOf([{ name: "x.jsonl", content: plain }]), "zip is not read: unpack it first"],
    ["x.csv", pointer, "is a pointer of Git LFS"],
    ["x.jsonl", pointer, "is a pointer of Git LFS"],
    ["x.parquet", pointer, "is a pointer of Git LFS"],
    ["x.csv", "<!DOCTYPE html><html>a,b</html>", "is a web page"],
    ["x.jsonl", " <html>", "is a web page"],
  ];
  for (const [name, content, message] of bad) {
    await assertRejects(() => read(name, content), SyntaxError, message);
  }
});

Deno.test("what chooses among files is refused where there is one", async () => {
  const cases: [string, SourceOptions, string][] = [
    ["x.jsonl", { split: "test" }, "'split' chooses within a data set: x.jsonl is one file"],
    ["x.csv", { config: "main" }, "'config' chooses"],
    ["x.json", { config: "main" }, "'config' chooses"],
  ];
  for (const [name, options, message] of cases) {
    await assertRejects(() => read(name, "[]", options), TypeError, message);
  }
});

/** Data sets by their files: name → which row a file holds; and what must be read of each. */
const row = (n: number) => `{"n":${n}}\n`, csv = (n: number) => `n\n${n}\n`;
const card = (configs: string) =>
  `---\nlicense: mit\n${configs}pretty_name: "X: y"\n---\n# Card\nconfigs: no\n`;
const GPQA = Object.fromEntries(
  ["diamond", "main", "extended", "experts"].map((name, i) => [`gpqa_${name}.csv`, csv(i)]),
);
const GPQA_CARD = card(
  "configs:\n- config_name: gpqa_extended\n  data_files: gpqa_extended.csv\n" +
    "- config_name: gpqa_main\n  data_files: gpqa_main.csv\n" +
    "- config_name: gpqa_diamond\n  data_files: 'gpqa_diamond.csv' # the hard ones\n",
);
const GSM8K = {
  "main/test-00000-of-00001.jsonl": row(0),
  "main/train-00000-of-00001.jsonl": row(1),
  "socratic/test-00000-of-00001.jsonl": row(2),
  "socratic/train-00000-of-00001.jsonl": row(3),
};
const GSM8K_CARD = card(`configs:
- config_name: main
  data_files:
  - split: train
    path: main/train-*
  - split: test
    path: main/test-*
- config_name: socratic
  data_files:
    - split: train
      path:
        - "socratic/train-*"
    - split: test
      path: [socratic/test-*]
`);
const NAMED: [string, Record<string, string>, SourceOptions, number[]][] = [
  ["a file by its name", GPQA, { config: "gpqa_diamond" }, [0]],
  ["a file by its card", { ...GPQA, "README.md": GPQA_CARD }, { config: "gpqa_diamond" }, [0]],
  ["by its card, as the hub's split", { ...GPQA, "README.md": GPQA_CARD }, {
    config: "gpqa_main",
    split: "train",
  }, [1]],
  ["a file that the card does not name", { ...GPQA, "README.md": GPQA_CARD }, {
    config: "gpqa_experts",
  }, [3]],
  ["folders", GSM8K, { config: "main" }, [0]],
  ["folders and a split", GSM8K, { config: "socratic", split: "train" }, [3]],
  ["folders by the card", { ...GSM8K, "README.md": GSM8K_CARD }, { config: "main" }, [0]],
  ["lists of the card", { ...GSM8K, "README.md": GSM8K_CARD }, {
    config: "socratic",
    split: "train",
  }, [3]],
  ["a flow list of the card", { ...GSM8K, "README.md": GSM8K_CARD }, { config: "socratic" }, [2]],
  [
    "a card with the line ends of Windows",
    { ...GSM8K, "README.md": GSM8K_CARD.replaceAll("\n", "\r\n") },
    { config: "main" },
    [0],
  ],
  [
    "the card's default",
    {
      ...GSM8K,
      "README.md": GSM8K_CARD.replace(
        "- config_name: socratic\n",
        "- config_name: socratic\n  default: true\n",
      ),
    },
    {},
    [2],
  ],
  ["a card that is not read", { ...GSM8K, "README.md": card("configs: &x\n- *y\n") }, {
    config: "main",
  }, [0]],
  ["one file alone", { "test.jsonl": row(5), "README.md": "# no front matter" }, {}, [5]],
  ["one file of no split", { "problems.jsonl": row(5) }, {}, [5]],
  ["and as the hub's split", { "problems.jsonl": row(5) }, { split: "train" }, [5]],
  [
    "train alone",
    { "data/train-00000-of-00002.jsonl": row(0), "data/train-00001-of-00002.jsonl": row(1) },
    {},
    [0, 1],
  ],
  [
    "data/ with two splits",
    { "data/test-00000-of-00001.jsonl": row(1), "data/train-00000-of-00001.jsonl": row(2) },
    {},
    [1],
  ],
  [
    "shards with a hash",
    {
      "data/test-00000-of-00002-0123456789abcdef.jsonl": row(1),
      "data/test-00001-of-00002-fedcba9876543210.jsonl": row(2),
    },
    {},
    [1, 2],
  ],
  [
    "shards that count from 1",
    { "test-00001-of-00002.jsonl": row(1), "test-00002-of-00002.jsonl": row(2) },
    {},
    [1, 2],
  ],
  [
    "shards in the order of their numbers",
    Object.fromEntries(
      Array.from(
        { length: 11 },
        (_, i) => [`test-${String(10 - i).padStart(5, "0")}-of-00011.jsonl`, row(10 - i)],
      ),
    ),
    {},
    Array.from({ length: 11 }, (_, i) => i),
  ],
  ["shards by number alone", { "main/test/0000.jsonl": row(1), "main/test/0001.jsonl": row(2) }, {
    config: "main",
  }, [1, 2]],
  ["another word for a split", { "val.jsonl": row(1), "test.jsonl": row(2) }, {
    split: "validation",
  }, [1]],
  ["and one more", { "dev.csv": csv(1), "train.csv": csv(2) }, { split: "validation" }, [1]],
  ["the word itself first", { "validation.jsonl": row(1), "dev.jsonl": row(2) }, { split: "dev" }, [
    2,
  ]],
  ["Parquet-like preference", { "test.jsonl": row(1), "test.csv": csv(2) }, {}, [1]],
  [
    "files about the data are none",
    { "dataset_infos.json": "{}", "config.json": "{}", ".meta.json": "{}", "a.jsonl": row(1) },
    {},
    [1],
  ],
  [
    "a configuration beside a split",
    { "algebra_test.jsonl": row(1), "geometry_test.jsonl": row(2) },
    { config: "geometry" },
    [2],
  ],
  [
    "one of several test files",
    { "test.jsonl": row(1), "test2.jsonl": row(2), "test5.jsonl": row(5) },
    { split: "test5" },
    [5],
  ],
  [
    "a card with patterns over folders",
    {
      "en/deep/er.jsonl": row(1),
      "fr/deep/er.jsonl": row(2),
      "README.md": card("configs:\n- config_name: fr\n  data_files: fr/**\n"),
    },
    { config: "fr" },
    [2],
  ],
  [
    "a card with a folder",
    {
      "en/a.jsonl": row(1),
      "fr/a.jsonl": row(2),
      "README.md": card(
        "configs:\n  - config_name: en\n    data_dir: en\n  - config_name: fr\n    data_dir: fr/\n",
      ),
    },
    { config: "en" },
    [1],
  ],
  [
    "a card with a mapping of splits",
    {
      "a.jsonl": row(1),
      "b.jsonl": row(2),
      "README.md": card(
        "configs:\n- config_name: default\n  data_files:\n    train: a.jsonl\n    test: b.jsonl\n",
      ),
    },
    {},
    [2],
  ],
];

Deno.test("the files of a split are found, on the hub and in a folder alike", async () => {
  for (const [what, files, options, wanted] of NAMED) {
    const values = (rows: readonly Row[]) => rows.map(({ n }) => Number(n));
    const local = await inFolder(files, (folder) => readRows(folder, options));
    assertEquals(values(local), wanted, `${what}, in a folder`);
    await using cache = await temporaryFolder();
    await using hub = startHub({ files });
    const shared = { ...options, cacheDir: cache.path };
    const online = await readRows("org/set", { ...shared, endpoint: hub.endpoint });
    assertEquals(values(online), wanted, what);
    assertEquals(
      values(await readRows("org/set", { ...shared, offline: true })),
      wanted,
      `${what}, offline`,
    );
  }
});

Deno.test("what is ambiguous or not there is refused with what there is", async () => {
  const all = { ...GSM8K, "README.md": GSM8K_CARD };
  const bad: [Record<string, string>, SourceOptions, string][] = [
    [GSM8K, {}, "'config' must name one of its folders: it has main/, socratic/"],
    [all, {}, "'config' must name one of its configurations: it has main, socratic"],
    [all, { config: "best" }, 'not "best": it has main, socratic'],
    [
      all,
      { config: "main", split: "dev" },
      "'split' must name one of its splits, not \"dev\": it has train, test",
    ],
    [GPQA, {}, "must name one of its files: it has gpqa_diamond.csv, gpqa_experts.csv"],
    [GPQA, { config: "gpqa_hard" }, 'configurations, folders or files, not "gpqa_hard"'],
    [
      { "test-a.jsonl": "", "test-b.jsonl": "" },
      {},
      "must name one of its files: it has test-a.jsonl, test-b.jsonl",
    ],
    [
      { "train.jsonl": "", "dev.jsonl": "" },
      {},
      "'split' must name some of its files, not \"test\"",
    ],
    [
      { "data.arrow": "", "a.zip": "" },
      {},
      "parquet, jsonl, ndjson, json, csv, tsv files: it has a.zip, data.arrow",
    ],
    [
      { "a.zip": "", "README.md": card("configs:\n- config_name: x\n  data_files: a.zip\n") },
      {},
      "no file that is read matches 'a.zip'",
    ],
    [
      {
        "a.jsonl": "",
        "README.md": card(
          "configs:\n- config_name: x\n  data_files:\n  - split: test\n    path: b*\n",
        ),
      },
      {},
      "no file matches 'b*'",
    ],
    [
      {
        "test-00000-of-00001.jsonl": "",
        "test-00000-of-00002.jsonl": "",
        "test-00001-of-00002.jsonl": "",
      },
      {},
      "'config' or 'split' must name",
    ],
    [
      { "test-00001-of-00003.jsonl": "" },
      {},
      "of 3 are missing: test-00000-of-00003.jsonl, test-00002-of-00003.jsonl",
    ],
    [{ "x/0000.jsonl": "", "x/0002.jsonl": "" }, {}, "of 3 are missing: x/0001.jsonl"],
  ];
  for (const [files, options, message] of bad) {
    const error = await inFolder(
      files,
      (folder) => assertRejects(() => readRows(folder, options), RangeError),
    );
    assert(error.message.includes(message), `${error.message}\n${message}`);
  }
});

/** A cache with some files of a data set, as Python's tools leave it. */
function cacheOf(files: Record<string, string>): Promise<TemporaryFolder> {
  const root = "datasets--org--set", commit = `${root}/snapshots/${COMMIT}`;
  const own = Object.entries(files).map(([name, content]) => [`${commit}/${name}`, content]);
  return temporaryFolder({ [`${root}/refs/main`]: COMMIT, ...Object.fromEntries(own) });
}

Deno.test("offline, a data set that is not whole is refused with what is missing", async () => {
  const half = { "main/test-00001-of-00002.jsonl": row(2) };
  for (const extra of [{}, { "README.md": GSM8K_CARD }]) {
    await using cache = await cacheOf({ ...half, ...extra });
    const cacheDir = cache.path;
    const error = await assertRejects(
      () => readRows("org/set", { cacheDir, offline: true, config: "main" }),
      RangeError,
    );
    assert(
      error.message.includes("of 2 are missing: main/test-00000-of-00002.jsonl"),
      error.message,
    );
  }
  await using cache = await cacheOf({ ...half, "main/test-00000-of-00002.jsonl": row(1) });
  const cacheDir = cache.path;
  const rows = await readRows("org/set", { cacheDir, offline: true, config: "main" });
  assertEquals(rows, [{ n: 1 }, { n: 2 }]);
  await Deno.remove(
    `${cacheDir}/datasets--org--set/snapshots/${COMMIT}/main/test-00000-of-00002.jsonl`,
  );
  await Deno.symlink(
    "../../../blobs/gone",
    `${cacheDir}/datasets--org--set/snapshots/${COMMIT}/main/test-00000-of-00002.jsonl`,
  );
  await assertRejects( // a link to bytes that are not there
    () => readRows("org/set", { cacheDir, offline: true, config: "main" }),
    Deno.errors.NotFound,
    "main/test-00000-of-00002.jsonl",
  );
});

Deno.test("after a transfer that was cut, what is missing is known by name, whatever the names", async () => {
  const files = {
    "README.md": card(
      "configs:\n- config_name: a\n  data_files:\n  - split: test\n    path: parts/*\n",
    ),
    ...{ "parts/one.jsonl": row(1), "parts/two.jsonl": row(2), "parts/three.jsonl": row(3) },
  };
  await using cache = await temporaryFolder();
  let down = true;
  await using hub = startHub({
    files,
    answer: ({ what }) =>
      down && what === "parts/two.jsonl" ? new Response("", { status: 500 }) : undefined,
  });
  const online = {
    cacheDir: cache.path,
    endpoint: hub.endpoint,
    retries: 0,
  };
  await assertRejects(() => readRows("org/set", online), Error);
  const error = await assertRejects(
    () => readRows("org/set", { cacheDir: cache.path, offline: true }),
    Deno.errors.NotFound,
  );
  assert(/of its 3 files 1 are not in .*: parts\/two\.jsonl$/.test(error.message), error.message);
  down = false;
  const all = [{ n: 1 }, { n: 3 }, { n: 2 }]; // by name: one, three, two
  assertEquals(await readRows("org/set", online), all);
  assertEquals(await readRows("org/set", { cacheDir: cache.path, offline: true }), all);
  await hub[Symbol.asyncDispose]();
  const notes: string[] = []; // nobody answers: the commit that is there
  const rows = await readRows("org/set", {
    ...online,
    onProgress: ({ note }) => notes.push(note ?? ""),
  });
  assertEquals([rows, notes.some((note) => note.includes("of the cache"))], [all, true]);
});

Deno.test("matchesGlob() matches as the hub does, in time", () => {
  const cases: [string, string, boolean][] = [
    ["main/test-*", "main/test-00000-of-00001.parquet", true],
    ["main/test-*", "main/test/a.parquet", false],
    ["*.csv", "a/b.csv", false],
    ["**/*.csv", "a/b/c.csv", true],
    ["**/*.csv", "c.csv", true],
    ["**", "a/b", true],
    ["data/?.csv", "data/x.csv", true],
    ["data/?.csv", "data//.csv", false],
    ["./a.csv", "a.csv", true],
    ["a.csv", "axcsv", false],
    ["", "", true],
    ["*".repeat(500) + "b", "a".repeat(1000), false],
    ["a*".repeat(200) + "b", "a".repeat(1000), false],
  ];
  for (const [pattern, name, matches] of cases) {
    assertEquals(matchesGlob(pattern, name), matches, pattern);
  }
});

Deno.test("configsOf() reads cards, and none where they are hostile", () => {
  assertEquals(configsOf(GSM8K_CARD).map(({ name, splits }) => [name, [...splits]]), [
    ["main", [["train", ["main/train-*"]], ["test", ["main/test-*"]]]],
    ["socratic", [["train", ["socratic/train-*"]], ["test", ["socratic/test-*"]]]],
  ] as never);
  const hostile = [
    ...["", "---", "---\n", "---\nconfigs:\n", "---\nconfigs:\n---\n", "---\nconfigs: 1\n---\n"],
    `---\nconfigs:\n${"- ".repeat(100_000)}x\n---\n`,
    `---\nconfigs:\n${
      Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}- a:\n`).join("")
    }---\n`,
    "---\nconfigs:\n- {config_name: x, data_files: y}\n---\n",
    "---\nconfigs:\n- config_name: __proto__\n---\n",
  ];
  for (const text of hostile) assertEquals(configsOf(text), []);
});
