/** `deno task doc`: a site of the public names, by `deno doc`, in which names and links hold. */

import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { escapeHtml } from "../lib/plot/mod.ts";
import { command, print } from "./_cli.ts";
import manifest from "../deno.json" with { type: "json" };

const USAGE = `
Writes a site of all public names into site/: what mod.ts says of the package, a page for each of
its folders, one for each name. It opens without a network: site/index.html.

usage: deno task doc
`;

const ROOT = new URL("../", import.meta.url);

/** What the package gives: by its name as it is imported, the folder of its pages and its module. */
const MODULES = Object.entries(manifest.exports).map(([key, path]) => ({
  name: `${manifest.name}${key.slice(1)}`,
  folder: key === "." ? "." : key.slice(2),
  path,
}));

/** The first paragraph of what a module says of itself. */
async function saidOf(path: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  return text.match(/^\/\*\*\n \* (.*(?:\n \* .+)*)/)![1]!.replaceAll("\n * ", " ");
}

/** The list of the folders' pages, which `deno doc` leaves out where there is a first page. */
async function folderList(): Promise<string> {
  const items = await Promise.all(
    MODULES.filter(({ folder }) => folder !== ".").map(async ({ name, folder, path }) =>
      `<li><a class="link" href="${folder}/index.html">${name}</a>: ${
        escapeHtml(await saidOf(path))
      }</li>`
    ),
  );
  return `<div class="markdown"><h2>Folders</h2><ul>${items.join("")}</ul></div>`;
}

/**
 * A page of `deno doc`, in which what is imported has its name, and links to sources lead into this copy of the
 * repository, by the way to it from the page's folder.
 */
function mended(page: string, way: string): string {
  const root = ROOT.href.replaceAll("/", "&#x2F;");
  return MODULES.reduce(
    (text, { name, folder }) =>
      text.replaceAll(` from &quot;${folder}&quot;;`, ` from &quot;${name}&quot;;`),
    page.replaceAll(`href="${root}`, `href="${way}/`)
      .replaceAll(/(href="(\.|&#x2F;)+)(?=")/g, "$1index.html"), // a folder of files has no first page
  );
}

/** Where the list of folders goes on the first page. */
const PLACE = '<section class="section"  id="examples">';

/**
 * Writes the site.
 *
 * @param site Path of a folder that is not there yet, or of an earlier site, which is removed.
 */
export async function writeSite(site: string): Promise<void> {
  await Deno.remove(site, { recursive: true }).catch(() => {});
  const modules = MODULES.map(({ path }) => path);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--html", `--name=${manifest.name}`, `--output=${site}`, ...modules],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`Cannot write the site: ${new TextDecoder().decode(stderr)}`);
  const root = fileURLToPath(ROOT);
  for (const name of readdirSync(site, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".html")) continue;
    const file = join(site, name), page = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, mended(page, relative(dirname(file), root)));
  }
  const first = join(site, "index.html"), page = await Deno.readTextFile(first);
  if (!page.includes(PLACE)) {
    throw new Error("Cannot list the folders: deno doc's page has changed");
  }
  await Deno.writeTextFile(first, page.replace(PLACE, await folderList() + PLACE));
}

if (import.meta.main) {
  await command(USAGE, { values: [] }, async () => {
    const site = fileURLToPath(new URL("site", ROOT));
    await writeSite(site);
    print(`${join(site, "index.html")}\n`);
  });
}
