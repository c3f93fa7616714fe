/** Makes the models that are measured, one after the other, while other parts run. */

import { statfsSync } from "node:fs";
import { CPU_TARGET } from "../../lib/graph/mod.ts";
import { openSource } from "../../lib/model/mod.ts";
import { clocked } from "../bench/rows.ts";
import type { Part } from "./part.ts";
import { fileBytes, type Format, makeModel, SHAPES } from "../bench/weights.ts";

/** The converted copy of an int4 file and the file itself, by the size of the file. */
const COPIES = 2.2;

/** Makes one model: its files, and for int4 the copy that a first load would make. */
export async function make({ folder, model, dtype, device, tell }: Part): Promise<void> {
  const name = model!, format = dtype as Format, bytes = fileBytes(SHAPES[name]!, format);
  const { bavail, bsize } = statfsSync(folder);
  const due = bytes * (format === "int4" ? COPIES : 1), free = bavail * bsize;
  if (due > free) {
    const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
    throw new Error(`Cannot make the model as it needs ${gb(due)} and ${gb(free)} are free`);
  }
  let place!: Awaited<ReturnType<typeof makeModel>>;
  const seconds = await clocked(async () => place = await makeModel(folder, name, format)) / 1e3;
  const figure = { kind: "figure", unit: "s", device, model: name, dtype: format } as const;
  tell({ ...figure, what: "make", median: seconds, low: seconds, high: seconds });
  if (format !== "int4") return;
  using source = await openSource(place.id);
  const converted = await clocked(async () => {
    const more = {
      target: CPU_TARGET,
      maxLength: 64,
      cacheDir: `${folder}/cache`,
      label: "convert",
    };
    using _ = await source.prepare({ dtype: place.dtype, ...more });
  }) / 1e3;
  tell({ ...figure, what: "convert", median: converted, low: converted, high: converted });
}
