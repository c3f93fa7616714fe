/** `deno task doc`: the listed names with their documentation, as pages that need no network. */

import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import manifest from "../deno.json" with { type: "json" };
import { refusal } from "../lib/_check.ts";
import { command, print } from "./_cli.ts";

const USAGE = `
Writes the documentation of all names that the package lists, as a folder of pages.

usage: deno task doc [options]

  --out DIR     where the pages go; what is in the folder is replaced (default: site)
  -h, --help    this text
`;

const root = new URL("../", import.meta.url);

/** The parts of the package, as it is imported: "decode" is "@moi/moi/decode". */
const PARTS = Object.keys(manifest.exports).map((name) => name.replace(/^\.\/?/, ""));

/** Has Deno write the pages. */
async function writePages(out: string): Promise<void> {
  const paths = Object.values(manifest.exports).map((path) => fileURLToPath(new URL(path, root)));
  const options = ["--html", `--name=${manifest.name}`, `--output=${out}`];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--quiet", ...options, ...paths],
    cwd: root,
    ...{ stdout: "null", stderr: "piped" },
  }).output();
  if (!success) {
    throw new Error(`Cannot write the pages: ${new TextDecoder().decode(stderr).trim()}`);
  }
}

/** The pages in a folder. */
async function pagesIn(folder: string): Promise<string[]> {
  const found = await Array.fromAsync(Deno.readDir(folder), async ({ name, isDirectory }) => {
    const path = join(folder, name);
    return isDirectory ? await pagesIn(path) : name.endsWith(".html") ? [path] : [];
  });
  return found.flat();
}

/** A page with names as they are imported, and on the first one links to the parts. */
function mended(html: string, isFirst: boolean): string {
  const named = html.replaceAll(/\bfrom &quot;([\w.]+)&quot;/g, (whole, part) => {
    const name = part === "." ? "" : part;
    if (!PARTS.includes(name)) return whole;
    return `from &quot;${[manifest.name, ...(name ? [name] : [])].join("/")}&quot;`;
  });
  if (!isFirst) return named;
  return named.replaceAll(
    /<code>(?:@moi\/moi)?\/(\w+)<\/code>/g,
    (whole, part) => PARTS.includes(part) ? `<a href="./${part}/index.html">${whole}</a>` : whole,
  );
}

/** Files that a page links to, relative to it. */
function linksOf(html: string): string[] {
  return [...html.matchAll(/\b(?:href|src)="([^"]*)"/g)]
    .map(([, link]) => link!.replaceAll("&#x2F;", "/").replaceAll("&amp;", "&"))
    .filter((link) => !/^([a-z]+:|\/\/)/i.test(link))
    .map((link) => decodeURIComponent(link.replace(/[?#].*/s, "")));
}

/** Removes the pages of an earlier run, and nothing else. */
async function clear(out: string): Promise<void> {
  const listed = Array.fromAsync(Deno.readDir(out), ({ name }) => name);
  const names = await listed.catch((): string[] => []); // there is no such folder
  if (names.length === 0) return;
  if (!names.includes("all_symbols.html")) {
    const rule = "be a new folder, or one with such pages, which are replaced";
    throw new TypeError(refusal("write the pages", "--out", rule, out));
  }
  await Deno.remove(out, { recursive: true });
}

await command(USAGE, { values: ["out"] }, async (args) => {
  const out = args.value("out") ?? "site", first = join(out, "index.html");
  await clear(out);
  await writePages(out);
  const pages = await pagesIn(out), there = new Map<string, Promise<boolean>>();
  const isThere = (path: string) => {
    const known = there.get(path) ?? Deno.stat(path).then(() => true, () => false);
    there.set(path, known);
    return known;
  };
  for (const page of pages) {
    const html = mended(await Deno.readTextFile(page), page === first);
    await Deno.writeTextFile(page, html);
    for (const link of linksOf(html)) {
      if (await isThere(join(dirname(page), link))) continue;
      throw new Error(`Cannot write the pages as ${relative(out, page)} links to ${link}, no file`);
    }
  }
  print(`${pages.length} pages: ${first}\n`);
});
