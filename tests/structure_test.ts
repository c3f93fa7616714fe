/** How the code is laid out: which way imports point, how long files are, how options are checked. */

import { assertEquals } from "@std/assert";
import { root } from "./_repository.ts";

/** Folders of lib in the order of the layers: a file imports from its own folder and those before it. */
const LAYERS = [
  ...["runtime", "llama", "graph", "model", "decode", "serve", "tasks", "study", "stats", "plot"],
  "play",
];

/** Most lines of a file of lib. */
const MOST_LINES = 400;

/** Files that are data. */
const DATA = /^lib\/(tasks\/held_out\/|model\/embedded\/|graph\/onnx_pb\.ts$)/; // the last is generated

/** The files of a folder, by their paths in the repository. */
function* filesIn(folder: string, ending: RegExp): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
    if (isDirectory) yield* filesIn(`${folder}${name}/`, ending);
    else if (ending.test(name)) yield `${folder}${name}`;
  }
}

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

/** Sources of lib by path, without comments that begin a line. */
const LIB = new Map(
  [...filesIn("lib/", /\.ts$/)].sort().map((path) =>
    [path, read(path).replace(/^\s*(\/\*)?\*.*$/gm, "")] as const
  ),
);

/** What a source imports, types included. */
function importsOf(source: string): string[] {
  const found = source.matchAll(/(?:\bfrom\s|\bimport\s*\(?|\bresolve\()\s*"([^"\s]+)"/g);
  return [...found].map(([, target]) => target!);
}

/** The files of lib that each file of lib imports. */
const EDGES = new Map(
  [...LIB].map(([path, source]) => [
    path,
    importsOf(source).filter((target) => target.startsWith("."))
      .map((target) => new URL(target, `file:///${path}`).pathname.slice(1))
      .filter((target) => LIB.has(target)),
  ]),
);

/** Layer of a file of lib: 0 for those that belong to no folder. */
const levelOf = (path: string) => LAYERS.indexOf(path.split("/")[1]!) + 1;

Deno.test("every folder of lib is a layer and an export, and every export exists", async () => {
  const { exports } = JSON.parse(read("deno.json"));
  const folders = [...Deno.readDirSync(new URL("lib", root))]
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  assertEquals(folders.sort(), LAYERS.toSorted());
  assertEquals(Object.keys(exports).sort(), [".", ...LAYERS.map((name) => `./${name}`)].sort());
  for (const path of Object.values<string>(exports)) await Deno.stat(new URL(path, root));
});

Deno.test("imports point one way, from a layer to those before it", () => {
  const wrong = [...EDGES].flatMap(([path, targets]) =>
    targets.filter((target) => levelOf(target) > levelOf(path))
      .map((target) => `${path} imports ${target}`)
  );
  assertEquals(wrong, []);
});

Deno.test("no file of lib imports itself by way of others, not even for a type", () => {
  const done = new Set<string>(), circles: string[] = [];
  const visit = (path: string, above: readonly string[]) => {
    const at = above.indexOf(path);
    if (at >= 0) circles.push([...above.slice(at), path].join(" → "));
    if (done.has(path)) return;
    done.add(path);
    for (const target of EDGES.get(path)!) visit(target, [...above, path]);
  };
  for (const path of EDGES.keys()) visit(path, []);
  assertEquals(circles, []);
});

Deno.test("lib/ imports npm packages whole, in the versions of deno.json, and nothing of JSR", () => {
  const { imports } = JSON.parse(read("deno.json"));
  const known = Object.values<string>(imports).filter((target) => target.startsWith("npm:"));
  const wrong = [...LIB].flatMap(([path, source]) =>
    importsOf(source).filter((target) => !/^(\.|node:)/.test(target))
      .filter((target) => !known.some((npm) => target === npm || target.startsWith(`${npm}/`)))
      .map((target) => `${path}: ${target}`)
  );
  assertEquals(wrong, []);
});

Deno.test(`no file of lib has more than ${MOST_LINES} lines, data apart`, () => {
  const long = [...LIB.keys()].filter((path) => !DATA.test(path))
    .map((path) => ({ path, lines: read(path).trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > MOST_LINES).map(({ path, lines }) => `${path}: ${lines}`);
  assertEquals(long, []);
});

/** The arguments of each call of a function, as they are written. */
function callsOf(source: string, name: string): string[][] {
  return [...source.matchAll(new RegExp(`(?<!function )\\b${name}(?:<[^(]*>)?\\(`, "g"))]
    .map(({ index, 0: { length } }) => {
      const args = [""];
      let depth = 0;
      for (let at = index + length; depth >= 0 && at < source.length; at++) {
        const char = source[at]!;
        if ("([{".includes(char)) depth++;
        if (")]}".includes(char)) depth--;
        if (char === "," && depth === 0) args.push("");
        else if (depth >= 0) args[args.length - 1] += char;
      }
      return args.map((arg) => arg.trim());
    });
}

Deno.test("options are checked by tables of rules, one for all options of a function", () => {
  const sources = [...LIB].filter(([path]) => path !== "lib/_check.ts");
  // a table, a table of another type's options, or a function that makes one
  const declared = [
    /\b(\w+)\b(?:: Rules<|[^;\n=]*=[^;]*? satisfies Rules<)/g,
    /\b(?:function (\w+)|const (\w+) =) ?(?:<[^(]*>)?\([^)]*\): Rules</g,
  ];
  const tables = new Set(
    sources.flatMap(([, source]) =>
      declared.flatMap((form) =>
        [...source.matchAll(form)].map(([, name, other]) => name ?? other!)
      )
    ),
  );
  const wrong = sources.flatMap(([path, source]) =>
    callsOf(source, "checkOptions")
      .filter(([, , rules = ""]) => !/^\{/.test(rules) && !tables.has(/^\w*/.exec(rules)![0]))
      .map(([, , rules]) => `${path}: ${rules}`)
  );
  assertEquals(wrong, []);
});

Deno.test("a value is asked whether it is an object in one place", () => {
  const asks = /=> *\n? *typeof (\w+) === "object" && \1 !== null && !Array\.isArray\(\1\)/;
  const isElsewhere = (path: string) => path !== "lib/_check.ts" && !path.includes("/page/"); // pages carry their own
  const wrong = [...LIB].filter(([path, source]) => isElsewhere(path) && asks.test(source));
  assertEquals(wrong.map(([path]) => path), []);
});

Deno.test("tests make temporary files in one way, which removes them", () => {
  const made = "Deno." + "makeTemp";
  const wrong = [...filesIn("tests/", /\.ts$/)]
    .filter((path) => path !== "tests/_temporary.ts" && read(path).includes(made));
  assertEquals(wrong, []);
});

Deno.test("nothing names a machine on which it was written", () => {
  const own = [
    ...["README.md", "CONTRIBUTING.md", "mod.ts", "deno.json"],
    ...filesIn("lib/", /\.ts$/),
    ...filesIn("scripts/", /\.(ts|py|sh|md)$/),
    ...filesIn("notebooks/", /\.ipynb$/),
  ];
  const machine = [
    /(?<![\w.)}\]/])\/(home|root|work|Users|mnt|srv)\/\w/, // folders of a person
    /\/\/[\w.-]+\.(internal|local|lan|corp|intranet)\b/, // hosts that only some can reach
    /\b(10|192\.168|172\.(1[6-9]|2\d|3[01]))(\.\d{1,3}){2,3}(?=[:/])/,
  ];
  const wrong = own.flatMap((path) => {
    const text = read(path);
    return machine.flatMap((words) => words.exec(text)?.[0] ?? []).map((found) =>
      `${path}: ${found}`
    );
  });
  assertEquals(wrong, []);
});
