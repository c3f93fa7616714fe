import { assertEquals } from "@std/assert";
import { standard } from "@moi/moi/decode";
import { mixtureOf, samples } from "./_distributions.ts";

Deno.test("standard() feeds back the sampled token alone", () => {
  for (const sample of samples(50, 1)) {
    assertEquals(mixtureOf(standard(), sample), { ids: [sample.token], weights: [1] });
  }
});
