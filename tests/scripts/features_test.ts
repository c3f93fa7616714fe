import { assertEquals, assertStringIncludes } from "@std/assert";
import { featureTable, withFeatures } from "../../scripts/features.ts";
import { ARCHITECTURES } from "@moi/moi/graph";

/** The formatter pads the cells of tables. */
const unpadded = (text: string) => text.replace(/ +/g, " ").replace(/-{3,}/g, "---");

Deno.test("the README's table of features is the one that the code gives", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  assertEquals(unpadded(readme), unpadded(withFeatures(readme)));
});

Deno.test("featureTable() has a row for every architecture, all of them tested on the CPU", () => {
  const table = featureTable();
  for (const name of Object.keys(ARCHITECTURES)) {
    assertStringIncludes(table, `| \`${name}\` | tested | tested | tested | tested |`);
  }
});
