import { assert, assertEquals } from "@std/assert";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import manifest from "../../deno.json" with { type: "json" };
import { writeSite } from "../../scripts/doc.ts";
import { root } from "../_repository.ts";
import { temporaryFolder } from "../_temporary.ts";

const entities: Readonly<Record<string, string>> = { "&#x2F;": "/", "&amp;": "&", "&quot;": '"' };

Deno.test("the site of the public names is whole: its links, names and first page", async () => {
  await using folder = await temporaryFolder();
  const site = join(folder.path, "site");
  await writeSite(site);
  const files = readdirSync(site, { recursive: true, encoding: "utf8" });
  const known = new Set(files.map((name) => join(site, name)));
  const repository = fileURLToPath(root), names = new Set<string>(), broken: string[] = [];
  for (const name of files.filter((name) => name.endsWith(".html"))) {
    const page = Deno.readTextFileSync(join(site, name)), own = pathToFileURL(join(site, name));
    for (const [, found] of page.matchAll(/ (?:href|src)="([^"]+)"/g)) {
      const link = found!.replaceAll(/&[^;]+;/g, (entity) => entities[entity] ?? entity);
      const to = new URL(link, own);
      if (to.protocol !== "file:") continue;
      const path = fileURLToPath(to);
      const isSource = path.startsWith(repository) && !link.startsWith("file:");
      if (!known.has(path) && !isSource) broken.push(`${name}: ${link}`);
    }
    assert(!/<(script|link|img)[^>]*(src|href)="https?:/.test(page), `${name} needs a network`);
    for (const [, module] of page.matchAll(/ from &quot;([^&]+)&quot;;/g)) names.add(module!);
  }
  assertEquals(broken.slice(0, 5), []);
  const exported = Object.keys(manifest.exports).map((key) => `${manifest.name}${key.slice(1)}`);
  assertEquals([...names].sort(), ["@std/assert", ...exported].sort());
  const first = Deno.readTextFileSync(join(site, "index.html"));
  for (const key of Object.keys(manifest.exports).filter((key) => key !== ".")) {
    assert(first.includes(`href="${key.slice(2)}/index.html"`), key);
    const own = Deno.readTextFileSync(join(site, key.slice(2), "index.html"));
    assert(!/&lt;!--|\[(\/|&#x2F;){2}\]/.test(own), `${key} shows the marks of a table`);
  }
});
