import { assert } from "@std/assert";
import { HOT } from "../../../lib/plot/page/token_list.ts";
import { shade } from "../../../lib/plot/page/tokens.ts";

/** Relative luminance as WCAG has it, of channels from 0 to 255. */
function luminance(channels: readonly number[]): number {
  const [r, g, b] = channels.map((own) => own / 255)
    .map((own) => own <= 0.04045 ? own / 12.92 : ((own + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: readonly number[], b: readonly number[]): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

Deno.test("letters can be read on every shade, on light and on dark paper", () => {
  const black = [0, 0, 0], white = [255, 255, 255];
  const light = { paper: white, ink: () => [26, 26, 26] };
  const dark = { paper: [22, 24, 27], ink: (share: number) => share > HOT ? black : white };
  for (let share = 0; share <= 1; share += 1 / 1024) {
    const [r, g, b, alpha] = shade(share).match(/[\d.]+/g)!.map(Number);
    for (const { paper, ink } of [light, dark]) {
      const ground = [r!, g!, b!].map((own, i) =>
        Math.round(alpha! * own + (1 - alpha!) * paper[i]!)
      );
      const found = contrast(ground, ink(share));
      assert(found >= 4.5, `${found} at a share of ${share} on ${paper}`);
    }
  }
});
