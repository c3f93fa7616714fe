/** `deno task doc` writes pages of all listed names. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import manifest from "../../deno.json" with { type: "json" };
import { script } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("doc writes the essay on the first page, a page for each part, and no link that leads nowhere", async () => {
  await using folder = await temporaryFolder();
  const out = join(folder.path, "site"),
    read = (name: string) => Deno.readTextFile(join(out, name));
  const write = () => script("doc", ["--out", out]);
  const { code, stdout, stderr } = await write(); // it follows every link
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^\d{4} pages: .*index\.html\n$/);
  const first = await read("index.html");
  assertStringIncludes(first, "standard decoding feeds back y");
  const parts = Object.keys(manifest.exports).map((name) => name.slice(2)).filter((name) => name);
  for (const part of parts) {
    assertStringIncludes(first, `<a href="./${part}/index.html"><code>`);
    const page = await read(`${part}/index.html`);
    assertStringIncludes(page, `from &quot;@moi/moi/${part}&quot;`);
    assert(!page.includes("&lt;!--"), `${part} shows marks`);
  }
  assertStringIncludes(await read("~/loadModel.html"), "from &quot;@moi/moi&quot;");
  assert(!/<(script|link|img)\b[^>]*(src|href)="(https?:)?\/\//.test(first), "needs a network");

  await Deno.writeTextFile(join(out, "old.html"), "an earlier name");
  assertEquals((await write()).code, 0);
  assertEquals(await read("old.html").catch(() => "gone"), "gone");
  await Deno.remove(join(out, "all_symbols.html")); // now it could be anyone's
  const refused = await write();
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "'--out' must be a new folder");
  assertStringIncludes(await read("index.html"), "standard decoding");
});
